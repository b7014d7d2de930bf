import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Answer } from '../../testing/src/problem.ts'
import { createApp, type FrameSettings } from '../src/app.ts'
import type { App } from '../src/app-type.ts'
import type { FrameConfig } from '../src/config.ts'
import { createLogger } from '../src/logger.ts'

/** One line of the log. */
export type Line = Record<string, unknown> & { level: string; msg: string }

/** The frame with endpoints of a test, and what was logged. */
export interface Frame {
  readonly app: App
  readonly lines: Line[]
  /** Sends a request as in `send('GET /')`. */
  send(line: string, sending?: { headers?: Record<string, string>; body?: string }): Promise<Answer>
}

const CONFIG = { NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'info', KEEP_ALIVE_TIMEOUT: 72 } as const

/** Builds an app on the frame alone, and closes it at the end of the test. */
export async function startFrame(
  t: Test,
  endpoints: (app: App) => void | Promise<void>,
  config: Partial<FrameConfig> = {},
  parts: Partial<FrameSettings> = {}
): Promise<Frame> {
  const lines: Line[] = []
  const settings = { ...CONFIG, ...config }
  const logger = await createLogger('test', settings, { write: (line: string) => lines.push(JSON.parse(line)) })
  const app = await createApp({ ...settings, ...parts }, logger, async (app) => endpoints(app))
  t.teardown(() => app.close())
  return {
    app,
    lines,
    send: async (line, { headers = {}, body } = {}) => {
      const [method, url = ''] = line.split(' ')
      const response = await app.inject({ method: method as 'GET', url, headers, ...(body !== undefined && { body }) })
      const isJson = /\bjson\b/.test(String(response.headers['content-type'])) && response.body !== ''
      return {
        status: response.statusCode,
        headers: response.headers as Answer['headers'],
        body: isJson ? response.json() : response.body
      }
    }
  }
}

/** Has the app listen on a free port of 127.0.0.1, and returns that. */
export async function listen(app: App): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}
