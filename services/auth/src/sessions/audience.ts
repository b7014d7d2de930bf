import { type Static, Type } from 'typebox'

/** Whom access tokens may be for: the issuer itself, and the names in AUDIENCE. */
interface Audiences {
  readonly issuer: string
  readonly audience: readonly string[]
}

/**
 * The parameter `resource` (RFC 8707 §2): the access token is then for that service alone, so that nobody else who is
 * shown it can use it there. One name of AUDIENCE as it stands there, or the issuer.
 */
export function resourceParameter({ issuer, audience }: Audiences) {
  const names = [...new Set([...audience, issuer])]
  const description = `one of ${names.join(', ')}; the access token is then for that service alone`
  return Type.Optional(Type.String({ enum: names, description }))
}

/** What {@link resourceParameter} makes. */
export type ResourceParameter = ReturnType<typeof resourceParameter>

/** A name that was asked for, or nothing. */
export type Resource = Static<ResourceParameter> | undefined
