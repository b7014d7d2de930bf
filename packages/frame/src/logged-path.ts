import type { FastifyRequest } from 'fastify'

/** Says the path of a request as it may be logged; `route` is the pattern that it matched, if one did. */
export type LoggedPath = (request: Pick<FastifyRequest, 'params' | 'raw'>, route: string | undefined) => string

/** Stands for a part that only the client knows. */
const SOMETHING = '*'

/** Parts of a path without a route that are told. */
const MOST_PARTS = 8

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Makes what tells paths without a text of the client, because people put tokens and passwords there: a log has the
 * pattern of the route, with the ids of `:id`; of a path that has no route it has the parts that stand in the path of some
 * route, so `/api/login` is seen to be `/login` behind something. Ids are UUIDs, and open nothing.
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
