import { randomUUID } from 'node:crypto'
import { type AccessClaims, KINDS, type Kind, type RefreshClaims } from '@latchkey/tokens/claims'
import { type Static, Type } from 'typebox'
import { signCompact } from '../keys/compact-jws.ts'
import type { Keys } from '../keys/folder.ts'
import { customKey } from './custom-key.ts'
import type { Grant } from './rows.ts'

/** The answer of every endpoint that issues tokens. */
export const TOKENS = Type.Object(
  {
    token_type: Type.Literal('Bearer'),
    access_token: Type.String({
      description: 'For resource services and for this service: `Authorization: Bearer <access_token>`',
      examples: ['eyJhbGciOiJSUzI1NiIs…']
    }),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires', examples: [900] }),
    refresh_token: Type.String({
      description: 'For /refresh-token alone. Keep it as a password.',
      examples: ['eyJhbGciOiJSUzI1NiIs…']
    }),
    refresh_expires_in: Type.Integer({ description: 'Seconds until the refresh token expires', examples: [604800] }),
    username: Type.String({ examples: ['Ada Lovelace'] })
  },
  { title: 'Tokens' }
)

/** What tokens are issued for. */
export interface Granted {
  readonly grant: Grant
  /**
   * A time from `TokenIssuer.now` that was taken before the row of the grant was read: the `iat` of the access token. So an end that
   * the row does not show yet is never earlier than the token.
   */
  readonly asked: number
}

/** Signs tokens. */
export interface TokenIssuer {
  /** Throws `unavailable` (503) while no key may sign; call it before any change for the tokens. */
  refuseWithoutKey(): void
  /** The present, in seconds since 1970; see {@link Granted}. */
  now(): number
  /**
   * Signs the two tokens of a grant in parallel, off the main thread, each with the key of its kind.
   *
   * The access token is for `aud`, by default the whole AUDIENCE. The refresh token does not depend on it.
   */
  issue(granted: Granted, aud?: AccessClaims['aud']): Promise<Static<typeof TOKENS>>
}

/** The values of tokens besides the grant; `accessLife` is in seconds. */
interface IssuerSettings {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly accessLife: number
  /** The present, in milliseconds since 1970. */
  readonly now: () => number
  /** Without rotation, the one refresh token of a session lasts until the session's absolute end. */
  readonly rotation: boolean
}

/** The `client_id` of every access token: RFC 9068 §2.2 requires one, and there is one client. */
const CLIENT_ID = 'latchkey'

/** Makes the token issuer, which always signs with the current keys. */
export function createTokenIssuer(
  keys: Keys,
  { issuer, audience, accessLife, rotation, now }: IssuerSettings
): TokenIssuer {
  const [single] = audience
  const everybody = audience.length === 1 && single !== undefined ? single : [...audience]
  const sign = (kind: Kind, claims: AccessClaims | RefreshClaims) =>
    signCompact(keys[kind].current, KINDS[kind].typ, claims)
  const issue: TokenIssuer['issue'] = async ({ grant, asked: iat }, aud = everybody) => {
    const { user_id: sub, sid, generation } = grant
    const access: AccessClaims = {
      iss: issuer,
      aud,
      sub,
      client_id: CLIENT_ID,
      iat,
      exp: iat + accessLife,
      jti: randomUUID(),
      token_use: 'access',
      sid,
      preferred_username: grant.username,
      roles: grant.roles,
      epoch: grant.epoch
    }
    // No random values: the same row makes the same token in every instance.
    const refreshEnd = rotation ? grant.idle_end : grant.end
    const refresh: RefreshClaims = {
      iss: issuer,
      aud: issuer,
      sub,
      iat: grant.iat,
      exp: refreshEnd,
      jti: `${sid}.${generation}`,
      token_use: 'refresh',
      sid,
      generation,
      custom_key: customKey(grant.token_hash, sub)
    }
    const [access_token, refresh_token] = await Promise.all([sign('access', access), sign('refresh', refresh)])
    return {
      token_type: 'Bearer',
      access_token,
      expires_in: accessLife,
      refresh_token,
      refresh_expires_in: refreshEnd - grant.now,
      username: grant.username
    }
  }
  // A ring without a signing key throws.
  return {
    refuseWithoutKey: () => void [keys.access.current, keys.refresh.current],
    now: () => Math.floor(now() / 1000),
    issue
  }
}
