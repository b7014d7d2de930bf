import type { App } from '@latchkey/frame/app-type'
import { problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { KnownStreams } from './known-streams.ts'

const schema = {
  tags: ['signals', 'discovery'],
  operationId: 'getSignalsConfiguration',
  summary: 'Get what receivers of Shared Signals have to know (SSF 1.0 §7.1); 404 while there is no stream',
  security: [],
  response: {
    200: Type.Object(
      {
        spec_version: Type.String(),
        issuer: Type.String(),
        jwks_uri: Type.String(),
        delivery_methods_supported: Type.Array(Type.String()),
        critical_subject_members: Type.Array(Type.String()),
        authorization_schemes: Type.Array(Type.Object({ spec_urn: Type.String() })),
        default_subjects: Type.String()
      },
      { title: 'SignalsConfiguration' }
    ),
    ...problems('not_found')
  }
}

/**
 * `GET /.well-known/ssf-configuration`, for `maxAge` seconds. There are no endpoints to manage streams: the operator adds
 * them. `session` is critical: who does not know it would end all sessions of a user for the end of one (SSF 1.0 §7.1); `tenant`,
 * because without it nobody is named.
 */
export function signalsConfiguration(
  app: App,
  { streams, issuer, maxAge }: { streams: KnownStreams; issuer: string; maxAge: number }
): void {
  const body = {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
    delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
    critical_subject_members: ['session', 'tenant'],
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    default_subjects: 'ALL'
  }
  app.get('/.well-known/ssf-configuration', { schema }, async (_request, reply) => {
    if (!(await streams.any())) throw new Problem('not_found')
    reply.header('cache-control', `public, max-age=${maxAge}`)
    return body
  })
}
