import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Longest line, in bytes. */
export const LONGEST_LINE = 64 * 1024

/** A line of a file without its end. If it is too long, only its first {@link LONGEST_LINE} + 1 bytes are kept. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly bytes: Buffer
}

const LINE_FEED = 0x0a
const NOTHING = Buffer.alloc(0)

/**
 * Reads the lines of a file, which may be of any size. Only a part of it is in memory at any time.
 *
 * Throws if it is no regular file: a pipe cannot be read twice.
 */
export async function* readLines(file: string): AsyncGenerator<Line> {
  if (!(await stat(file)).isFile()) throw new Error(`${file} is no regular file; it has to be read twice`)
  let number = 1
  let begun: Buffer = NOTHING
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield { number, bytes: joined(begun, chunk.subarray(start, end)) }
      number += 1
      begun = NOTHING
      start = end + 1
    }
    begun = joined(begun, chunk.subarray(start))
  }
  if (begun.length > 0) yield { number, bytes: begun }
}

function joined(begun: Buffer, more: Buffer): Buffer {
  return Buffer.concat([begun, more]).subarray(0, LONGEST_LINE + 1)
}
