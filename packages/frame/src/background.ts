/** A task that a service repeats while it runs. */
export interface BackgroundTask {
  /** Runs once. `stopping` is aborted when the service stops, so that a long run can end early. */
  run(stopping: AbortSignal): Promise<void>
  /** Gets the error of a failed run; the next run comes all the same. */
  failed(error: unknown): void
  /** Milliseconds until the first run. */
  readonly first: number
  /** Milliseconds from the end of a run until the next one. */
  pause(): number
  /**
   * Random part of a pause, so that instances do not run at the same time: 0.5 makes it up to half longer or shorter.
   * 0.
   */
  readonly jitter?: number
}

/** A task that runs in the background. */
export interface Background {
  /** Runs the task now, or after the run in progress. Resolves after that run and never rejects. */
  runNow(): Promise<void>
  /** Stops the task; resolves when no run is in progress. */
  close(): Promise<void>
}

/** Repeats a task, one run at a time, until it is closed. Its timer does not keep the process alive. */
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
