import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/** How long a full pipe is left alone before it is tried again, in milliseconds. */
const PAUSE = 10

/**
 * Opens a file descriptor for lines, each of which is written before the call returns: a killed process has written its
 * last one.
 *
 * A line that cannot be written (disk full, reader gone) is lost, and nobody is held up. After the first that can be
 * written again, `onRecovered` hears how many were lost. A full pipe is waited for.
 */
export function openLines(fd: number, onRecovered: (lost: number) => void): DestinationStream {
  let lost = 0
  let isCutOff = false

  function write(line: string): void {
    const text = isCutOff ? `\n${line}` : line
    const length = Buffer.byteLength(text)
    let written = 0
    try {
      // Almost always at once, and then without a copy.
      written = unlessFull(() => writeSync(fd, text))
      while (written < length) written += unlessFull(() => writeSync(fd, Buffer.from(text), written))
    } catch {
      lost += 1
      isCutOff ||= written > 0
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
