import { type Static, Type } from 'typebox'

/** The possible audiences of access tokens: the issuer, and the names in AUDIENCE. */
interface Audiences {
  readonly issuer: string
  readonly audience: readonly string[]
}

/**
 * Makes the schema of the parameter `resource` (RFC 8707 §2): one name of AUDIENCE, or the issuer. The access token is
 * then only for that service, so no other service that receives it can use it there.
 */
export function resourceParameter({ issuer, audience }: Audiences) {
  const names = [...new Set([...audience, issuer])]
  const description = `one of ${names.join(', ')}; the access token is then for that service alone`
  return Type.Optional(Type.String({ enum: names, description }))
}

/** The schema that {@link resourceParameter} makes. */
export type ResourceParameter = ReturnType<typeof resourceParameter>

/** The requested name, or nothing. */
export type Resource = Static<ResourceParameter> | undefined
