import { unavailable } from '@latchkey/problems/problem'
import type { App } from '../app-type.ts'
import { answerInstead } from '../problems.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Runs while the service works on this request, and pauses while the client sends the body. */
    countdown: Countdown
  }
}

/**
 * Answers 503 if a request takes longer than this many milliseconds, guards included. The time in which the client
 * sends the body does not count. After a late guard nothing is started. A handler that has started goes on, and its
 * answer is dropped: as with any lost answer, its change may be made.
 *
 * Call it before the first hook and route. `onSend` hooks must be synchronous, so that no other answer comes between.
 * Fastify's own `handlerTimeout` stops watching when the body has been read.
 */
export function limitAnswerTime(app: App, longest: number): void {
  app.decorateRequest('countdown')
  app.addHook('onRequest', (request, reply, done) => {
    request.countdown = new Countdown(longest, () => {
      // Fastify does not answer a hijacked reply, such as a WebSocket's.
      if (reply.sent || reply.raw.headersSent) return
      answerInstead(reply, unavailable(`no answer within ${request.countdown.whole} ms`), request.countdown.hasBegun)
    })
    request.countdown.run()
    reply.raw.once('close', () => request.countdown.end())
    done()
  })
  app.addHook('preParsing', (request, _reply, body, done) => {
    request.countdown.pause()
    done(null, body)
  })
  app.addHook('preValidation', (request, _reply, done) => {
    request.countdown.hasBegun = true
    request.countdown.run()
    done()
  })
}

/**
 * Gives the answer to a request so many milliseconds more, as for a long poll. No effect where answers have no limit. To
 * be called by the handler.
 */
export function extendAnswerTime({ countdown }: { countdown: Countdown | undefined }, milliseconds: number): void {
  countdown?.extend(milliseconds)
}

class Countdown {
  /** Whether the guards are done, so that only the handler is left. */
  hasBegun = false
  /** The whole time, in milliseconds. */
  whole: number
  #left: number
  #since = 0
  #timer: NodeJS.Timeout | undefined
  readonly #atZero: () => void

  constructor(milliseconds: number, atZero: () => void) {
    this.whole = milliseconds
    this.#left = milliseconds
    this.#atZero = atZero
  }

  run(): void {
    if (this.#left === Number.POSITIVE_INFINITY) return
    this.#since = performance.now()
    this.#timer = setTimeout(this.#atZero, this.#left)
  }

  pause(): void {
    clearTimeout(this.#timer)
    this.#left -= performance.now() - this.#since
  }

  extend(milliseconds: number): void {
    this.pause()
    this.whole += milliseconds
    this.#left += milliseconds
    this.run()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#left = Number.POSITIVE_INFINITY
  }
}
