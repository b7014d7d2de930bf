/** Narrows one claim to its type. */
type Check<T> = (value: unknown) => value is T

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const HMAC_SHA256_HEX = /^[0-9a-f]{64}$/

const isText = check<string>((value) => typeof value === 'string' && value !== '')
const isUuid = check<string>((value) => typeof value === 'string' && UUID.test(value))
const isCustomKey = check<string>((value) => typeof value === 'string' && HMAC_SHA256_HEX.test(value))
const isAudience = check<string | string[]>((value) => isText(value) || (Array.isArray(value) && value.every(isText)))
const isRoles = check<string[]>(
  (value) => Array.isArray(value) && value.length <= 16 && value.every((role) => isText(role) && role.length <= 32)
)
/** Tells whether a value is a whole number from 0; JSON has numbers such as 1e999, which become Infinity. */
export const isCount = check<number>((value) => Number.isSafeInteger(value) && Number(value) >= 0)
const isAccess = check<'access'>((value) => value === 'access')
const isRefresh = check<'refresh'>((value) => value === 'refresh')

function check<T>(test: (value: unknown) => boolean): Check<T> {
  return test as Check<T>
}

/**
 * The two kinds of tokens: the `typ` of the header and every required claim with its type.
 *
 * Times (`iat`, `exp`) are whole seconds since 1970 (NumericDate, RFC 7519 §2); `epoch` and `generation` count from 0.
 * The kinds differ by `typ`, by `token_use` and by key. They may not differ by audience: refresh tokens are for the
 * issuer only, and access tokens can be too.
 */
export const KINDS = {
  /** The claims of RFC 9068, and what a resource service needs to know about the user. */
  access: {
    typ: 'at+jwt',
    claims: {
      iss: isText,
      aud: isAudience,
      sub: isUuid,
      client_id: isText,
      iat: isCount,
      exp: isCount,
      jti: isUuid,
      token_use: isAccess,
      sid: isUuid,
      preferred_username: isText,
      roles: isRoles,
      epoch: isCount
    }
  },
  refresh: {
    typ: 'rt+jwt',
    claims: {
      iss: isText,
      aud: isAudience,
      sub: isUuid,
      iat: isCount,
      exp: isCount,
      jti: isText,
      token_use: isRefresh,
      sid: isUuid,
      generation: isCount,
      custom_key: isCustomKey
    }
  }
} as const

/** `access` or `refresh`. */
export type Kind = keyof typeof KINDS

type Checked<C> = { readonly [K in keyof C]: C[K] extends Check<infer T> ? Readonly<T> : never }

/** The claims of one kind, each checked. */
export type Claims<K extends Kind> = Checked<(typeof KINDS)[K]['claims']>

/** The claims of an access token. */
export type AccessClaims = Claims<'access'>

/** The claims of a refresh token. */
export type RefreshClaims = Claims<'refresh'>
