import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/** Wait before a full pipe is tried again, in milliseconds. */
const PAUSE = 10

/** Who is told of lines that could not be written. */
interface Losses {
  readonly onLost: () => void
  readonly onRecovered: (lost: number) => void
}

/**
 * Opens a file descriptor for log lines. Each line is written before the call returns, so a killed process has written
 * its last one.
 *
 * If a line cannot be written (disk full, reader gone), it is lost and nothing waits. `onLost` is called for each of them
 * at once, and `onRecovered` with their number after the next line that can be written. A full pipe is waited for.
 */
export function openLines(fd: number, { onLost, onRecovered }: Losses): DestinationStream {
  let lost = 0
  let isCutOff = false

  function write(line: string): void {
    const text = isCutOff ? `\n${line}` : line
    const length = Buffer.byteLength(text)
    let written = 0
    try {
      // Almost always this writes all at once, without a copy.
      written = unlessFull(() => writeSync(fd, text))
      while (written < length) written += unlessFull(() => writeSync(fd, Buffer.from(text), written))
    } catch {
      lost += 1
      isCutOff ||= written > 0
      onLost()
      return
    }
    isCutOff = false
    if (lost === 0) return
    const before = lost
    lost = 0
    onRecovered(before)
  }

  return { write }
}

function unlessFull(write: () => number): number {
  try {
    return write()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
    return 0
  }
}
