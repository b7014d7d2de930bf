import type { OutgoingHttpHeaders } from 'node:http'
import cors from '@fastify/cors'
import type { App } from './app-type.ts'

/** How long a browser may cache a preflight answer, in seconds: the most that Chromium accepts. */
const PREFLIGHT_AGE = 7200

const EXPOSED = ['Retry-After', 'WWW-Authenticate']

/** The CORS headers for an allowed origin, for answers that Fastify does not write. */
export function originHeaders(origins: readonly string[], origin: string | undefined): OutgoingHttpHeaders {
  const headers = { vary: 'Origin', 'access-control-expose-headers': EXPOSED.join(', ') }
  if (!origin || !origins.includes(origin)) return headers
  return { ...headers, 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' }
}

/**
 * Lets pages of these origins call every endpoint and read its answers, also refusals (CORS protocol of the Fetch
 * standard).
 *
 * Pages send tokens in the header, or as cookies: browsers send those too, because answers allow credentials.
 */
export async function allowOrigins(app: App, origins: string[]): Promise<void> {
  await app.register(cors, {
    origin: origins,
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_AGE,
    strictPreflight: false
  })
}
