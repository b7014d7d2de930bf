import type { FastifyRequest } from 'fastify'

/** Returns the path of a request as it may be logged; `route` is the matched pattern, if there is one. */
export type LoggedPath = (request: Pick<FastifyRequest, 'params' | 'raw'>, route: string | undefined) => string

/** Replaces a part that only the client knows. */
const SOMETHING = '*'

/** Most parts of an unknown path that are logged. */
const MOST_PARTS = 8

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Makes a function that describes paths without text of the client, because people put tokens and passwords there.
 *
 * A known path becomes the pattern of its route, with its ids. Of an unknown path only the parts that occur in routes
 * are kept, so `/api/login` still shows `/login`. Ids are UUIDs and grant nothing.
 */
export function loggedPaths(routes: ReadonlySet<string>): LoggedPath {
  let known: ReadonlySet<string> | undefined
  return ({ params, raw }, route) => {
    if (route !== undefined) return route.includes(':') ? withIds(route, params) : route
    known ??= new Set([...routes].flatMap((path) => path.split('/')).filter((part) => !part.startsWith(':')))
    return withoutRoute(raw.url ?? '', known)
  }
}

function withIds(route: string, params: unknown): string {
  const values = params as Readonly<Record<string, string>>
  return route.replace(/:(\w+)/g, (parameter, name: string) => idOr(parameter, values[name] ?? ''))
}

function withoutRoute(url: string, known: ReadonlySet<string>): string {
  const [path = ''] = url.split('?', 1)
  const parts = path.split('/', MOST_PARTS)
  return parts.map((part) => (known.has(part) ? part : idOr(SOMETHING, part))).join('/')
}

function idOr(otherwise: string, part: string): string {
  return ID.test(part) ? part : otherwise
}
