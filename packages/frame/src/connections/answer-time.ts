import { unavailable } from '@latchkey/problems/problem'
import type { App } from '../app-type.ts'
import { answerInstead } from '../problems.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Runs while the service works on this request, and stands still while its client sends the body. */
    countdown: Countdown
  }
}

/**
 * Answers 503 in the place of whatever takes longer than so many milliseconds, guards included; the time that a client
 * takes to send the body does not count. A guard that is late lets nothing begin. What a handler has begun goes on, and
 * its own answer is dropped: as after a lost answer, it may yet be done.
 *
 * Call it before the first hook and route. `onSend` hooks have to be synchronous, so that no other answer comes between.
 * Fastify's own `handlerTimeout` ends its watch when the body has been read.
 */
export function limitAnswerTime(app: App, longest: number): void {
  app.decorateRequest('countdown')
  app.addHook('onRequest', (request, reply, done) => {
    request.countdown = new Countdown(longest, () => {
      // A hijacked reply, as a WebSocket's, is no longer Fastify's to answer.
      if (reply.sent || reply.raw.headersSent) return
      answerInstead(reply, unavailable(`no answer within ${longest} ms`))
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
    request.countdown.run()
    done()
  })
}

class Countdown {
  #left: number
  #since = 0
  #timer: NodeJS.Timeout | undefined
  readonly #atZero: () => void

  constructor(milliseconds: number, atZero: () => void) {
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

  end(): void {
    clearTimeout(this.#timer)
    this.#left = Number.POSITIVE_INFINITY
  }
}
