/** Something that a service does now and again while it serves. */
export interface BackgroundTask {
  /** Does it once. `stopping` is aborted when the service stops: what is long ends early then. */
  run(stopping: AbortSignal): Promise<void>
  /** Hears of a run that failed; the next one comes all the same. */
  failed(error: unknown): void
  /** Milliseconds until the first run. */
  readonly first: number
  /** Milliseconds from the end of a run until the next one. */
  pause(): number
  /** Part of a pause by which each is longer or shorter by chance, so that instances do not meet; 0.5 is half. By default 0. */
  readonly jitter?: number
}

/** A task that runs in the background. */
export interface Background {
  /** Has it run now, or as soon as the run in progress has ended; resolves when that is done, and never rejects. */
  runNow(): Promise<void>
  /** Ends it; resolves when no run is in progress. */
  close(): Promise<void>
}

/** Runs a task now and again, one run at a time, until it is closed. Its timer keeps no process alive. */
export function runInBackground({ run, failed, first, pause, jitter = 0 }: BackgroundTask): Background {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  let waiting: Promise<void> | undefined

  function plan(milliseconds: number): void {
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    timer = setTimeout(runNow, milliseconds * (1 + jitter * (2 * Math.random() - 1))).unref()
  }

  async function runOnce(): Promise<void> {
    if (stopping.signal.aborted) return
    clearTimeout(timer)
    try {
      await run(stopping.signal)
    } catch (error) {
      failed(error)
    }
    plan(pause())
  }

  function runNow(): Promise<void> {
    waiting ??= running.then(() => {
      waiting = undefined
      running = runOnce()
      return running
    })
    return waiting
  }

  plan(first)
  return {
    runNow,
    close: async () => {
      stopping.abort()
      clearTimeout(timer)
      await (waiting ?? running)
    }
  }
}
