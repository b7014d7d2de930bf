import type { OutgoingHttpHeaders } from 'node:http'
import cors from '@fastify/cors'
import type { App } from './app-type.ts'

/** How long a browser may keep what a preflight was told, in seconds; Chromium keeps it no longer than this. */
const PREFLIGHT_AGE = 7200

const EXPOSED = ['Retry-After', 'WWW-Authenticate']

/** The headers that let a page of this origin read an answer, where it may: for answers that are written by hand. */
export function originHeaders(origins: readonly string[], origin: string | undefined): OutgoingHttpHeaders {
  const headers = { vary: 'Origin', 'access-control-expose-headers': EXPOSED.join(', ') }
  return origin && origins.includes(origin) ? { ...headers, 'access-control-allow-origin': origin } : headers
}

/**
 * Lets pages of these origins call every endpoint and read its answers, refusals too (the Fetch standard's CORS protocol).
 *
 * They send tokens in the header. Cookies go with no request, because no answer allows credentials.
 */
export async function allowOrigins(app: App, origins: string[]): Promise<void> {
  await app.register(cors, {
    origin: origins,
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_AGE,
    strictPreflight: false
  })
}
