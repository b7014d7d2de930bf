import { unavailable } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { App } from './app-type.ts'
import { problems } from './schemas.ts'

const shared = { tags: ['operation'], security: [] }

const STATUS = Type.Object({ status: Type.Literal('ok') }, { title: 'Status' })

/**
 * Adds `GET /healthz` (the process is up) and `GET /readyz` (it can serve now).
 *
 * `unready` says why the service cannot serve, or nothing. Its text goes to the log, not to the caller.
 */
export function health(app: App, unready: () => Promise<string | undefined> | string | undefined): void {
  app.get(
    '/healthz',
    {
      schema: {
        ...shared,
        operationId: 'checkHealth',
        summary: 'The process is up',
        response: { 200: STATUS, ...problems() }
      }
    },
    () => ({
      status: 'ok' as const
    })
  )
  app.get(
    '/readyz',
    {
      schema: {
        ...shared,
        operationId: 'checkReadiness',
        summary: 'The service can serve now',
        response: { 200: STATUS, ...problems() }
      }
    },
    async () => {
      const reason = await unready()
      if (reason !== undefined) throw unavailable(`not ready: ${reason}`)
      return { status: 'ok' as const }
    }
  )
}
