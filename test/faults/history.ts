import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import type { Test } from 'tap'

/** One request and what became of it; status 0 when no answer came at all. */
export interface Operation {
  readonly name: string
  readonly begun: number
  readonly ms: number
  readonly status: number
  readonly type: string
  readonly retryAfter: string | null
  readonly body: Record<string, string>
  /** Why no answer came, as a code such as ECONNREFUSED where there is one. */
  readonly error?: string
}

/** What a request may carry. */
export interface Sending {
  readonly body?: object
  readonly token?: string | undefined
}

/** All that was asked of the services during a test. */
export interface History {
  readonly operations: Operation[]
  /** Sends a request as in `send('POST /login', { body })`, and notes its outcome. */
  send(line: string, sending?: Sending): Promise<Operation>
}

/** The promise of an answer within 3 s, in milliseconds. */
export const LONGEST_ANSWER = 3000
/** What the client of a test may come late itself, on a machine that is busy with tests, in milliseconds. */
export const MARGIN = 500
/** The promise of recovery within 5 s, with a margin of the same kind, in milliseconds. */
const LONGEST_RECOVERY = 5000 + 2000
/** What the auth service answers without its database. */
export const WITHOUT_DATABASE = ['GET /healthz', 'GET /.well-known/jwks.json']
/** In the log of a service: a failure that it was not made for. */
export const UNFORESEEN = /"code":"internal_error"|uncaught/

/** Writes down all that is asked of the service at this URL; of any of them, if it is told anew for each request. */
export function recordHistory(url: () => string): History {
  const operations: Operation[] = []
  return {
    operations,
    send: async (name, sending) => {
      const operation = await ask(url(), name, sending)
      operations.push(operation)
      return operation
    }
  }
}

async function ask(url: string, name: string, { body, token }: Sending = {}): Promise<Operation> {
  const [method = '', path = ''] = name.split(' ')
  const begun = Date.now()
  const headers = {
    ...(body && { 'content-type': 'application/json' }),
    ...(token !== undefined && { authorization: `Bearer ${token}` })
  }
  try {
    const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const [type = '', retryAfter] = [answer.headers.get('content-type') ?? '', answer.headers.get('retry-after')]
    const said = answer.status === 204 ? {} : ((await answer.json()) as Operation['body'])
    return { name, begun, ms: Date.now() - begun, status: answer.status, type, retryAfter, body: said }
  } catch (failure) {
    const error = (failure as { cause?: { code?: string } }).cause?.code ?? String(failure)
    return { name, begun, ms: Date.now() - begun, status: 0, type: '', retryAfter: null, body: {}, error }
  }
}

/** Answered with a 2xx. */
export function succeeded({ status }: Operation): boolean {
  return status >= 200 && status < 300
}

/**
 * Every answer came in time, and is a success, a 4xx or a 503 as documented. `longest` is in milliseconds: the longer
 * one of ANSWER_TIMEOUT and PASSWORD_TIMEOUT.
 */
export function everyAnswerIsClean(t: Test, operations: readonly Operation[], longest = LONGEST_ANSWER): void {
  const unclean = operations.filter((operation) => !isClean(operation) || operation.ms > longest + MARGIN)
  t.strictSame(unclean.slice(0, 5), [], `of ${operations.length} answers, each is clean and in time`)
  t.comment(`${summary(operations)}; longest ${longestOf(operations)} ms`)
}

function isClean(operation: Operation): boolean {
  if (succeeded(operation)) return true
  const { status, type, retryAfter, body } = operation
  const problem = type.startsWith('application/problem+json') && typeof body['code'] === 'string'
  if (status === 503) return problem && body['code'] === 'unavailable' && /^[1-9]\d*$/.test(retryAfter ?? '')
  return problem && status >= 400 && status < 500
}

/**
 * Makes a storm, which tells its longest answer in milliseconds, up to three times: one of them is answered within `limit`.
 * Storm, clients, database and services share the machine, and what else it does may keep them from one.
 */
export async function oneIsInTime(t: Test, limit: number, storm: (round: number) => Promise<number>): Promise<void> {
  const longest: number[] = []
  do longest.push(Math.round(await storm(longest.length)))
  while (longest.length < 3 && Math.min(...longest) > limit)
  between(t, Math.min(...longest), { most: limit }, `the longest answers took ${longest} ms`)
}

/** The longest time that an answer took, in milliseconds. */
export function longestOf(operations: readonly Operation[]): number {
  return Math.max(...operations.map(({ ms }) => ms))
}

/** How often each status was answered, as in `200: 12, 503: 3`. */
export function summary(operations: readonly Operation[]): string {
  const counts = new Map<number, number>()
  for (const { status } of operations) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${status}: ${count}`).join(', ')
}

/** Asks again and again until a success comes, and returns how long that took; throws after the promised time. */
export async function timeToRecover(ask: () => Promise<Operation>): Promise<number> {
  const begun = Date.now()
  for (;;) {
    const answer = await ask()
    const took = Date.now() - begun
    if (succeeded(answer)) return took
    if (took > LONGEST_RECOVERY) throw new Error(`still ${answer.status} after ${took} ms`)
    await sleep(50)
  }
}

/** A success comes within the promised time. */
export async function recovers(t: Test, ask: () => Promise<Operation>): Promise<void> {
  const took = await timeToRecover(ask)
  between(t, took, { most: LONGEST_RECOVERY }, 'milliseconds until it recovered')
}

/** Waits until the history has such an operation. */
export async function until({ operations }: History, wanted: (operation: Operation) => boolean): Promise<void> {
  while (!operations.some(wanted)) await sleep(20)
}

/** The time that so many per cent of the answers stayed below, in milliseconds. */
export function percentile(operations: readonly Operation[], percent: number): number {
  const times = operations.map(({ ms }) => ms).sort((a, b) => a - b)
  return times[Math.min(times.length - 1, Math.floor((times.length * percent) / 100))] ?? 0
}
