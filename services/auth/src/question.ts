/** More than any answer has, in bytes; of what comes without a line's end no more is read. */
const LONGEST_ANSWER = 64

/**
 * Asks a question on standard error and reads one line of standard input. True for `y` or `yes` in any letter case;
 * false for whatever else, and for an input that ends without an answer or cannot be read.
 */
export async function isConfirmed(question: string): Promise<boolean> {
  process.stderr.write(`${question} [y/N] `)
  const [answer = '', end] = (await readAnswer()).split('\n', 2)
  // A terminal shows the line's end that was typed.
  if (!process.stdin.isTTY || end === undefined) process.stderr.write('\n')
  return /^y(es)?$/i.test(answer.trim())
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
