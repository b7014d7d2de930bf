import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** A head that was kept elsewhere. */
export interface GivenHead {
  readonly seq: number
  readonly hash: Buffer
  readonly jws: string | null
  /** When it was made, in milliseconds since 1970; null if it does not say. */
  readonly at: number | null
  /** Where it is from, for people. */
  readonly source: string
}

const JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
const HASH = /^[\da-f]{64}$/i

/**
 * Reads the heads of one `--head`: a text, or a file with heads among its lines, as a log has them.
 *
 * A head is a JWS, JSON with `seq` and `hash`, or a log line of the event `audit_head`, also behind a prefix. Other lines
 * are skipped, those of other services too: several may write one log, and each has its own chain. Throws if a file cannot
 * be read or has no head.
 */
export async function readHeads(given: string, service: string): Promise<GivenHead[]> {
  const text = given.trim()
  if (text.startsWith('{') || JWS.test(text)) {
    const head = headOf(text, 'the head that was given', service)
    if (head) return [head]
    if (text.startsWith('{'))
      throw new Error(
        `a head that was given as text has no seq and hash, and no jws, or is not of the ${service} service`
      )
  }
  const heads = await headsOfFile(given, service)
  if (heads.length > 0) return heads
  throw new Error(
    `${given} contains no head of the ${service} service: no JWS, no JSON with seq and hash, and no line of the log of the event audit_head`
  )
}

async function headsOfFile(path: string, service: string): Promise<GivenHead[]> {
  const heads: GivenHead[] = []
  let number = 0
  let all = ''
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      if (all.length < LONGEST_ALONE) all += `${line}\n`
      const head = headOf(line, `${path}:${number}`, service)
      if (head) heads.push(head)
    }
  } catch (error) {
    throw new Error(whyUnread(path, error as NodeJS.ErrnoException), { cause: error })
  }
  // A file with one head, written over several lines.
  const alone = heads.length === 0 ? headOf(all, path, service) : undefined
  return alone ? [alone] : heads
}

/** Longest file that is also read as one JSON text, in characters. */
const LONGEST_ALONE = 65_536

function whyUnread(path: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENAMETOOLONG') return `there is no file ${path}, and it is no head itself`
  if (code === 'EISDIR') return `${path} is a folder: --head takes a file`
  return `${path} cannot be read: ${code ?? message}`
}

/** The head in a line, or nothing. */
function headOf(line: string, source: string, service: string): GivenHead | undefined {
  const text = line.trim()
  if (JWS.test(text)) return headOfJws(text, source)
  const begin = text.indexOf('{')
  const fields = begin === -1 ? undefined : objectOf(text.slice(begin))
  // Records, and lines of other events, have a number and a hash as well.
  if (!fields || !['audit_head', undefined].includes(fields['event'] as string | undefined)) return undefined
  if (![service, undefined].includes(fields['service'] as string | undefined)) return undefined
  const { seq, hash, jws, at, time = at } = fields
  const signed = typeof jws === 'string' ? jws : null
  if (isNumber(seq) && typeof hash === 'string' && HASH.test(hash)) {
    return { seq, hash: Buffer.from(hash, 'hex'), jws: signed, at: timeOf(time), source }
  }
  return signed !== null && seq === undefined && hash === undefined ? headOfJws(signed, source) : undefined
}

/** What a JWS says, before its signature is looked at. */
function headOfJws(jws: string, source: string): GivenHead | undefined {
  const payload = objectOf(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
  const { seq, hash, at } = payload ?? {}
  if (!(isNumber(seq) && typeof hash === 'string' && HASH.test(hash))) return undefined
  return { seq, hash: Buffer.from(hash, 'hex'), jws, at: timeOf(at), source }
}

function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? null : time
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
