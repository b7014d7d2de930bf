// What the resource service stands on (log line, request id, security headers), with jose's remote key set in the place of our verifier.
import { createApp } from '../../packages/frame/dist/app.js'
import { createLogger } from '../../packages/frame/dist/logger.js'
import { greetByJose } from './by-jose.mjs'
import { listen } from './greeting.mjs'

const config = { NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'info' }
const app = await createApp(config, await createLogger('framed', config), async (app) => greetByJose(app))
await listen(app)
