import type { App } from '@latchkey/frame/app-type'
import { buildInfo } from './build-info.ts'
import { countEvents } from './counted.ts'
import type { Group } from './list.ts'
import { listenForScrapes } from './management.ts'
import type { Reader } from './open.ts'
import { measureRequests } from './requests.ts'

/** The settings of the metrics. */
export interface ManagementConfig {
  /** Where to listen; without it nothing is measured, and nothing listens. */
  readonly MANAGEMENT_PORT?: number
  readonly MANAGEMENT_HOST: string
  readonly BUILD_COMMIT: string
}

/** What a service says of itself. */
interface ServiceMetrics {
  readonly app: App
  /** Besides `common`. */
  readonly groups: readonly Exclude<Group, 'common'>[]
  /** Each is called at every scrape. */
  readonly readers: readonly Reader[]
}

/**
 * Measures a service, and listens on its management port until the app is closed. Call it before the app is ready.
 *
 * Throws an Error that names the setting, if it cannot listen.
 */
export async function serveMetrics(
  { MANAGEMENT_HOST: host, MANAGEMENT_PORT: port, BUILD_COMMIT: commit }: ManagementConfig,
  { app, groups, readers }: ServiceMetrics
): Promise<void> {
  if (port === undefined) return
  // Only now, so that who wants no metrics does not load the library.
  const { openMetrics } = await import('./open.ts')
  const metrics = openMetrics({
    groups,
    failed: (error) => app.log.warn({ err: error }, 'some metrics could not be read: they are missing in the answer')
  })
  metrics.read(buildInfo(commit))
  measureRequests(app, metrics)
  for (const reader of readers) metrics.read(reader)
  const unfollow = countEvents(metrics, ['common', ...groups])
  const listener = await listenForScrapes(metrics, { host, port })
  app.log.info({ host, port }, 'metrics at /metrics')
  // Only at the end, so that also the stop can be watched.
  app.addHook('onClose', async () => {
    listener.close()
    unfollow()
  })
}
