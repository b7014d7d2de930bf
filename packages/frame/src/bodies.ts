import { isUtf8 } from 'node:buffer'
import { Problem } from '@latchkey/problems/problem'
import type { preValidationHookHandler } from 'fastify'
import type { App } from './app-type.ts'
import { hasDoubledMember, isNestedDeeper } from './json.ts'
import { needsNoBody } from './schemas.ts'

/** How deep objects and lists of a body may be nested; our endpoints need two levels. */
const MOST_NESTED = 32

const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i

/**
 * Accepts only JSON bodies: bytes of another type get 415.
 *
 * A request without bytes has no body, whatever its content type and framing: many clients send a type with every
 * request, and HTTP/2 proxies send empty chunked bodies.
 */
export function acceptJsonOnly(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  const refused = (message: string) => new Problem('invalid_input', { errors: [{ field: 'body', message }] })
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined)
    // Node's decoder would replace invalid UTF-8 by replacement characters (RFC 8259 §8.1).
    if (!isUtf8(body)) return done(refused('must be UTF-8'))
    const text = body.toString()
    if (isNestedDeeper(text, MOST_NESTED)) return done(refused('must not be nested so deep'))
    parse(request, text, (error, value) => {
      if (!error && hasDoubledMember(text)) done(refused('must name each member once'))
      else done(error, value)
    })
  })

  app.addHook('onRoute', (route) => {
    if (needsNoBody(route.schema?.body)) return
    const others = route.preValidation ?? []
    route.preValidation = [requireBody, ...(Array.isArray(others) ? others : [others])]
  })
  const requireBody: preValidationHookHandler = ({ body }, _reply, next) => {
    next(body === undefined ? refused('is required') : undefined)
  }

  // Fastify refuses an unknown type before it looks for bytes; without a body the type does not matter.
  app.addHook('preParsing', ({ headers }, _reply, body, next) => {
    const type = headers['content-type']
    if (type !== undefined && !JSON_TYPE.test(type)) delete headers['content-type']
    next(null, body)
  })
  app.addContentTypeParser('*', (request, body, done) => {
    if (request.is404) return done(null, undefined)
    const end = (error: Error | null) => {
      body.off('data', onData).off('end', onEnd).off('error', end)
      done(error, undefined)
    }
    const onData = () => end(new Problem('unsupported_media_type'))
    const onEnd = () => end(null)
    body.on('data', onData).on('end', onEnd).on('error', end)
  })
}
