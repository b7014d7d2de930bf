import { accessSync, constants } from 'node:fs'
import { isIPv6 } from 'node:net'
import { faultOfUrl } from '@latchkey/frame/connection-url'
import { parseIntoClientConfig } from 'pg-connection-string'

const PORT = 5432

/** Longest path of a socket, in bytes. Some systems silently cut a longer one. */
const LONGEST_SOCKET = process.platform === 'darwin' ? 103 : 107

const FORM =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@]*)(?::[^@]*)?@)?(?<host>\[[^\]]*\]|[^:/?@]*)(?::(?<port>[^/?]*))?(?:\/(?<database>[^?]*))?(?:\?(?<query>[^?]*))?$/

/**
 * Says why a URL does not name one database or could be misread by the driver, or nothing if {@link connectionOf} reads
 * it exactly. A host is a name, an address, or the folder of a Unix socket: `%2Frun%2Fpostgresql`, or
 * `?host=/run/postgresql`.
 */
export function faultOfDatabaseUrl(url: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(url)) return 'must begin with postgres://'
  const fault = faultOfUrl(url)
  if (fault) return fault
  const parts = FORM.exec(url)?.groups
  if (!parts) return 'is not of the form postgres://user:password@host:5432/name'
  const { user, host = '', port, database, query = '' } = parts
  if (`${host}${port}`.includes(',')) return 'names several hosts: name one, which always leads to the primary'
  if (!user) return 'names no user: write user:password@ before the host'
  const parameters = [...new URLSearchParams(query)]
  return (
    faultOfParameters(query, parameters) ??
    faultOfHost(host, port, new Map(parameters)) ??
    faultOfName(database) ??
    faultOfTls(new Map(parameters))
  )
}

/** A folder in the place of the host. */
const ENCODED_FOLDER = /^%2f(?:[\w.~!'()*-]|%[\da-f]{2})*$/i

function faultOfHost(
  host: string,
  port: string | undefined,
  parameters: ReadonlyMap<string, string>
): string | undefined {
  const itsPort = parameters.get('port')
  if (host && (parameters.has('host') || itsPort)) return 'names a host twice: before the / and as a parameter'
  if (!(isPort(port) && isPort(itsPort)) || (!host && port !== undefined)) {
    return 'has a port that is no number from 1 to 65535'
  }
  const folder = parameters.get('host') ?? (ENCODED_FOLDER.test(host) ? decodeURIComponent(host) : undefined)
  if (folder?.startsWith('/')) return faultOfSocket(`${folder}/.s.PGSQL.${port ?? itsPort ?? PORT}`)
  if (!host) return 'names no host: write it behind the @, or the folder of a Unix socket as ?host=/folder'
  const isHost = /^[\w.-]+$/.test(host) || (host.startsWith('[') && isIPv6(host.slice(1, -1)))
  return isHost ? undefined : 'has no name and no address for a host; an IPv6 address stands in brackets'
}

function faultOfSocket(path: string): string | undefined {
  if (Buffer.byteLength(path) <= LONGEST_SOCKET) return undefined
  return `has a Unix socket whose path is longer than ${LONGEST_SOCKET} bytes: use a folder with a shorter name`
}

function isPort(port: string | undefined): boolean {
  return port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)
}

// The driver does not decode these in the name of a database, and drops a segment of dots.
const LEFT_ENCODED = /%(?:2[346bcf]|3[abdf]|40)/i

function faultOfName(database: string | undefined): string | undefined {
  if (!database) return 'names no database: write its name behind the host and a /'
  if (database.includes('/') || LEFT_ENCODED.test(database) || /^\.{1,2}$/.test(decodeURIComponent(database))) {
    return 'has a name of a database that the driver cannot read: use one of letters, digits, - and _'
  }
  return undefined
}

/** The allowed parameters of a URL; the driver ignores all others that the service passes on. */
const PARAMETERS = [
  ...['host', 'port', 'options', 'application_name', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
  ...['sslnegotiation', 'uselibpqcompat']
]

function faultOfParameters(query: string, parameters: [name: string, value: string][]): string | undefined {
  if (query.includes('+')) return 'has a + among its parameters, which is read as a space: write %2B, or %20'
  const names = parameters.map(([name]) => name)
  const unknown = names.find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined) return `has a parameter that the driver does not heed; known are ${PARAMETERS.join(', ')}`
  if (new Set(names).size < names.length) return 'has a parameter twice'
  if (parameters.some(([, value]) => value === '')) return 'has a parameter without a value'
  return undefined
}

// prefer and allow fall back to plain text in other programs, but not here. Without uselibpqcompat, require and
// verify-ca are as strict as verify-full.
const MODES = {
  false: ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full'],
  true: ['disable', 'require', 'verify-ca', 'verify-full']
}

function faultOfTls(parameters: Map<string, string>): string | undefined {
  const [mode, compat] = [parameters.get('sslmode'), parameters.get('uselibpqcompat')]
  const modes = MODES[compat === 'true' ? 'true' : 'false']
  if (compat !== undefined && compat !== 'true') return 'has a uselibpqcompat that is not true: leave it out'
  if (mode !== undefined && !modes.includes(mode)) return `has an sslmode that is none of ${modes.join(', ')}`
  const rest = ['sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat'].filter((name) =>
    parameters.has(name)
  )
  if (rest.length > 0 && (mode ?? 'disable') === 'disable') return `has ${rest[0]} without TLS: add sslmode=verify-full`
  if (mode === 'verify-ca' && compat && !parameters.has('sslrootcert'))
    return 'has sslmode=verify-ca without sslrootcert'
  if (parameters.has('sslcert') !== parameters.has('sslkey')) return 'has one of sslcert and sslkey: they go together'
  if (!['postgres', 'direct'].includes(parameters.get('sslnegotiation') ?? 'direct')) {
    return 'has an sslnegotiation that is neither postgres nor direct'
  }
  const unread = ['sslrootcert', 'sslcert', 'sslkey'].find((name) => !isReadable(parameters.get(name)))
  return unread && `has ${unread} with the path of a file that cannot be read`
}

function isReadable(path: string | undefined): boolean {
  try {
    if (path !== undefined) accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The connection that a valid URL describes. Missing parts do not come from PGPORT, PGSSLMODE and so on, except
 * PGPASSWORD.
 */
export function connectionOf(url: string): Connection {
  return { port: PORT, ssl: false, ...(parseIntoClientConfig(url) as Connection) }
}

/** The options of the driver; the password is a text. */
type Connection = Omit<ReturnType<typeof parseIntoClientConfig>, 'password'> & { readonly password?: string }
