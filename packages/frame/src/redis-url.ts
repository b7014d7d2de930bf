import { faultOfUrl } from './connection-url.ts'

/**
 * Says what is wrong with the URL of a Redis, or nothing. What the client would ignore, or refuse with an error that
 * repeats the password, is refused.
 */
export function faultOfRedisUrl(url: string): string | undefined {
  if (!/^rediss?:\/\//.test(url)) return 'must begin with redis:// or rediss://'
  const fault = faultOfUrl(url)
  if (fault !== undefined) return fault
  if (!URL.canParse(url)) return 'has a host or a port in it that cannot be: a port is a number up to 65535'
  const { hostname, pathname, search } = new URL(url)
  if (hostname === '') return 'has no host'
  if (!/^\/?\d{0,9}$/.test(pathname)) return 'has a path that is not the number of a database, as /1'
  if (search !== '') return 'has a ? in it, and what follows would be ignored: leave it out'
  return undefined
}
