import { isUtf8 } from 'node:buffer'
import { Problem } from '@latchkey/problems/problem'
import type { preValidationHookHandler } from 'fastify'
import type { App } from './app-type.ts'
import { hasDoubledMember, isNestedDeeper } from './json.ts'
import { needsNoBody } from './schemas.ts'

/** Objects and lists in one another that a body may have; those of our endpoints have two. */
const MOST_NESTED = 32

const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i

/**
 * Takes bodies of JSON and no others: bytes of another type are 415.
 *
 * A request without bytes has no body, whatever it says of its type and however it is framed: many clients announce a type
 * with every request, and proxies from HTTP/2 send chunks of which there are none.
 */
export function acceptJsonOnly(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  const refused = (message: string) => new Problem('invalid_input', { errors: [{ field: 'body', message }] })
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined)
    // Node's decoder would put replacement characters in the place of what is no UTF-8 (RFC 8259 §8.1).
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

  // Fastify refuses a type that it cannot read before it looks for bytes; the type of no body is nobody's concern.
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
