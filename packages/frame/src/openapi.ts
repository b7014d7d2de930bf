import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { App } from './app-type.ts'
import { docsPage } from './docs-page.ts'
import { needsNoBody } from './schemas.ts'

// The generator marks every body as required.
const transformObject: NonNullable<FastifyDynamicSwaggerOptions['transformObject']> = (document) => {
  const made = 'openapiObject' in document ? document.openapiObject : {}
  for (const { put, post, delete: remove } of Object.values(made.paths as Record<string, Operations>)) {
    for (const body of [put, post, remove].flatMap((operation) => operation?.requestBody ?? [])) {
      if (Object.values(body.content).every(({ schema }) => needsNoBody(schema)))
        Object.assign(body, { required: false })
    }
  }
  return made
}

type Operation = { requestBody?: { content: Record<string, { schema?: object }> } }
type Operations = { put?: Operation; post?: Operation; delete?: Operation }

/**
 * Adds `GET /openapi.json` (OpenAPI 3.1, made from the route schemas), `GET /docs`, a page to try it, and `GET /`,
 * which redirects there, unless the service `hasPage` of its own at the root. Register it before the routes. `cookies` are
 * the cookies that routes take: the name of each, by that of its security scheme.
 */
export async function openapi(
  app: App,
  info: { title: string; description: string; version: string },
  cookies: Readonly<Record<string, string>> = {},
  { hasPage = false }: { hasPage?: boolean } = {}
): Promise<void> {
  const byCookie = Object.entries(cookies).map(([scheme, name]) => [
    scheme,
    { type: 'apiKey' as const, in: 'cookie', name }
  ])
  await app.register(swagger, {
    transformObject,
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          ...Object.fromEntries(byCookie)
        }
      }
    }
  })
  docsPage(app)
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  if (hasPage) return
  // For people who open the address that the start prints.
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'))
}
