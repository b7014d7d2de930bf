import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { App } from './app-type.ts'
import { withComponents } from './components.ts'
import { docsPage } from './docs-page.ts'
import { needsNoBody } from './schemas.ts'
import type { SecurityScheme } from './security-schemes.ts'

// The generator marks every body as required, and names nothing.
const transformObject: NonNullable<FastifyDynamicSwaggerOptions['transformObject']> = (document) => {
  const made = 'openapiObject' in document ? document.openapiObject : {}
  for (const { put, post, delete: remove } of Object.values(made.paths as Record<string, Operations>)) {
    for (const body of [put, post, remove].flatMap((operation) => operation?.requestBody ?? [])) {
      if (Object.values(body.content).every(({ schema }) => needsNoBody(schema)))
        Object.assign(body, { required: false })
    }
  }
  return withComponents(made)
}

type Operation = { requestBody?: { content: Record<string, { schema?: object }> } }
type Operations = { put?: Operation; post?: Operation; delete?: Operation }

/**
 * Adds `GET /openapi.json` (OpenAPI 3.1, made from the route schemas), `GET /docs`, a page to try it, and `GET /`,
 * which redirects there, unless the service `hasPage` of its own at the root. Register it before the routes. `securitySchemes`
 * are the credentials that routes take, by the names that their `security` has.
 */
export async function openapi(
  app: App,
  info: { title: string; description: string; version: string },
  securitySchemes: Readonly<Record<string, SecurityScheme>> = {},
  { hasPage = false }: { hasPage?: boolean } = {}
): Promise<void> {
  await app.register(swagger, {
    transformObject,
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/' }],
      components: { securitySchemes: { ...securitySchemes } }
    }
  })
  docsPage(app)
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  if (hasPage) return
  // For people who open the address that the start prints.
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'))
}
