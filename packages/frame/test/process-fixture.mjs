import { createApp } from '@latchkey/frame/app'
import { frameSettings, readConfig } from '@latchkey/frame/config'
import { createLogger } from '@latchkey/frame/logger'
import { runService } from '@latchkey/frame/process'
import { choice, integer } from '@latchkey/frame/settings'
import { Type } from 'typebox'

// A service that does what process.test.ts asks of it; the two talk over the channel between them. It is no TypeScript
// because it runs as services do: from dist, without what compiles the tests.
const settings = Type.Object({
  ...frameSettings,
  PORT: integer({ minimum: 0, maximum: 65_535, description: 'A port.' }),
  START: choice(['well', 'never', 'badly', 'refused'], { default: 'well', description: 'How it starts.' })
})

const told = () => new Promise((resolve) => process.once('message', resolve))

await runService('fixture', async () => {
  const config = readConfig(settings, process.env)
  if (config.START === 'never') {
    process.send?.('starting')
    await told()
  }
  if (config.START === 'badly') throw new TypeError('a fault of the program')
  if (config.START === 'refused') throw new Error('/keys: cannot be read.')
  const app = await createApp(config, await createLogger('fixture', config), async (app) => {
    app.get('/', () => ({ ok: true }))
    app.get('/slow', async () => {
      process.send?.('arrived')
      await told()
      return { ok: true }
    })
    app.get('/crash', () => {
      setImmediate(() => {
        throw new Error('out of the blue')
      })
    })
    app.get('/driver', async () => {
      let asksForFetch = false
      const get = () => {
        asksForFetch = true
      }
      Object.defineProperty(globalThis, 'Response', { get })
      await import('pg')
      return { asksForFetch }
    })
    app.addHook('onClose', async () => app.log.info('everything is put away'))
  })
  return { app, host: config.HOST, port: config.PORT }
})
