import { Problem } from '@latchkey/problems/problem'
import { type AccessClaims, type Claims, isCount, KINDS, type Kind, type RefreshClaims } from './claims.ts'

/** The protected header of a token that passed {@link checkHeader}. */
export interface TokenHeader {
  readonly alg: 'RS256'
  readonly typ: string
  readonly kid: string
}

/** The expectations of a verifier. */
export interface Expectations {
  /** Must equal `iss` exactly. */
  readonly issuer: string
  /** `aud` must contain this name, or one of these. */
  readonly audience: string | readonly string[]
  /** How far clocks may differ, in seconds. */
  readonly leeway: number
  /** The present, in seconds since 1970; fractions count. */
  readonly now: number
  /** How long after its expiry a token still passes, in seconds: for instance for a logout. 0. */
  readonly grace?: number
}

const KID = /^[A-Za-z0-9_-]{1,128}$/

// Each of these lets a token choose its own key, or asks for processing that we do not support (RFC 8725 §3.7, §3.10,
// RFC 7515 §4.1.11).
const REFUSED_MEMBERS = ['crit', 'zip', 'b64', 'p2c', 'jku', 'x5u', 'jwk', 'x5c'] as const

/**
 * Checks the header of a token before any key is looked up (RFC 8725 §3.1, §3.10, §3.11; RFC 9068 §4).
 *
 * It accepts only RS256, the `typ` of the kind (a media type: letter case and `application/` do not matter), a `kid` of
 * 1 to 128 base64url characters, and no member by which a token brings its own key. Throws `invalid_token`.
 */
export function checkHeader(kind: Kind, header: Readonly<Record<string, unknown>>): TokenHeader {
  return checkTypedHeader(KINDS[kind].typ, header)
}

/** The same for whatever else the issuer signs, with this `typ`. */
export function checkTypedHeader(expected: string, header: Readonly<Record<string, unknown>>): TokenHeader {
  const { alg, typ, kid } = header
  if (alg !== 'RS256') throw refused('alg is not RS256')
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== expected) {
    throw refused(`typ is not ${expected}`)
  }
  if (typeof kid !== 'string' || !KID.test(kid)) throw refused('kid is not 1 to 128 base64url characters')
  for (const member of REFUSED_MEMBERS) if (member in header) throw refused(`header has ${member}`)
  return { alg, typ, kid }
}

/**
 * Checks the claims of a token (RFC 7519 §4.1, RFC 9068 §4) and returns those of its kind, frozen and without others.
 *
 * Throws `invalid_token`, or `token_expired` if `exp` is the only fault.
 */
export function checkClaims<K extends Kind>(
  kind: K,
  claims: Readonly<Record<string, unknown>>,
  expected: Expectations
): Claims<K> {
  const known = pick(kind, claims) as AccessClaims | RefreshClaims
  const latest = expected.now + expected.leeway
  const nbf = Object.hasOwn(claims, 'nbf') ? claims['nbf'] : 0
  if (known.iss !== expected.issuer) throw refused('iss is another issuer')
  if (!names(known.aud).some((name) => names(expected.audience).includes(name))) throw refused('aud is not us')
  if ('generation' in known && known.jti !== `${known.sid}.${known.generation}`)
    throw refused('jti is not sid.generation')
  if (known.iat > latest) throw refused('iat is in the future')
  if (!isCount(nbf) || nbf > latest) throw refused('nbf is in the future or no time')
  if (expected.now >= known.exp + expected.leeway + (expected.grace ?? 0)) throw new Problem('token_expired')
  return known as Claims<K>
}

const CHECKS = { access: Object.entries(KINDS.access.claims), refresh: Object.entries(KINDS.refresh.claims) }

// The claims of a kind, each with its type; other claims are left out.
function pick(kind: Kind, claims: Readonly<Record<string, unknown>>): unknown {
  const picked: Record<string, unknown> = {}
  for (const [name, check] of CHECKS[kind]) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (!check(value)) throw refused(`${name} is missing or not of its type`)
    picked[name] = typeof value === 'object' ? Object.freeze(value) : value
  }
  return Object.freeze(picked)
}

function names(audience: string | readonly string[]): readonly string[] {
  return typeof audience === 'string' ? [audience] : audience
}

function refused(reason: string): Problem {
  return new Problem('invalid_token', { reason })
}
