/** Largest answer that is read, in bytes, if no line ends before. */
const LONGEST_ANSWER = 2048

/**
 * Asks a question on standard error and reads one line of standard input.
 *
 * Returns true for `y` or `yes` in any letter case, and false for everything else, also if the input ends or cannot be
 * read.
 */
export async function isConfirmed(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N]`))
}

/** Asks for a text in the same way. Returns whether it was typed exactly. */
export async function hasTyped(question: string, text: string): Promise<boolean> {
  return (await ask(question)) === text
}

async function ask(question: string): Promise<string> {
  process.stderr.write(`${question} `)
  const [answer = '', end] = (await readAnswer()).split('\n', 2)
  // A terminal already shows the line end that was typed.
  if (!process.stdin.isTTY || end === undefined) process.stderr.write('\n')
  return answer.trim()
}

async function readAnswer(): Promise<string> {
  let read = Buffer.alloc(0)
  try {
    for await (const bytes of process.stdin) {
      read = Buffer.concat([read, bytes])
      if (read.includes('\n') || read.length > LONGEST_ANSWER) break
    }
  } catch {
    return ''
  }
  return read.toString()
}
