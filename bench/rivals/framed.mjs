// What the resource service stands on (log line, request id, security headers) with the route and no authentication.
import { randomUUID } from 'node:crypto'
import { createApp } from '../../packages/frame/dist/app.js'
import { createLogger } from '../../packages/frame/dist/logger.js'
import { GREETING, greeting, listen } from './greeting.mjs'

const config = { NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'info' }
const id = randomUUID()
const app = await createApp(config, await createLogger('framed', config), async (app) => {
  app.get('/greet', { schema: GREETING }, (_request, reply) => {
    reply.send(greeting('Ada', id))
  })
})
await listen(app)
