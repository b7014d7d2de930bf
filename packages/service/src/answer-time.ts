import { unavailable } from '@latchkey/tokens/errors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request's head was read, then how long the guards took, in milliseconds. */
    guarded: number
  }
}

/**
 * Makes every handler's answer a 503 that takes longer than so many milliseconds, its guards included, the time that a
 * client takes to send the body not. The work is not undone: as after a lost answer, it may yet be done.
 *
 * Call it before the first route. Fastify's own `handlerTimeout` ends its watch when the body has been read.
 */
export function limitAnswerTime(app: App, longest: number): void {
  app.decorateRequest('guarded', 0)
  app.addHook('onRequest', async (request) => {
    request.guarded = performance.now()
  })
  app.addHook('preParsing', async (request) => {
    request.guarded = performance.now() - request.guarded
  })
  app.addHook('onRoute', (route) => {
    const { handler } = route
    route.handler = function limited(request, reply) {
      return inTime(handler.call(this, request, reply), request, reply)
    }
  })

  function inTime(answer: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
    if (!(answer instanceof Promise)) return answer
    return new Promise((resolve, reject) => {
      const late = () => reject(unavailable(`no answer within ${longest} ms`))
      const timer = setTimeout(late, longest - request.guarded)
      reply.raw.once('close', () => clearTimeout(timer))
      answer.then(resolve, reject)
    })
  }
}
