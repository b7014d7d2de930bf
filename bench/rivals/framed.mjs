// The frame of the resource service (headers, log, limits) with the route and no authentication.
import { createApp } from '../../packages/service/dist/app.js'
import { createLogger } from '../../packages/service/dist/logger.js'
import { GREETING, greeting } from './greeting.mjs'

const config = { NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'info' }
const app = await createApp(config, await createLogger('bare', config), async (app) => {
  app.get('/greet', { schema: GREETING }, () => greeting('Ada', 'somebody'))
})
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))
