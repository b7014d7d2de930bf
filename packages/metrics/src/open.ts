import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Metric } from './definition.ts'
import { type Group, type LabelsOf, METRICS, type MetricName, type NameOf } from './list.ts'

/** Sets a gauge, or a counter that is counted elsewhere, to its present value. */
export type SetValue = <N extends NameOf<'gauge' | 'counter'>>(name: N, value: number, labels?: LabelsOf<N>) => void

/** Reads present values and sets them; a gauge that it does not set is missing in that scrape. */
export type Reader = (set: SetValue) => void | Promise<void>

/** The metrics of one service. A name that is in none of its groups is a TypeError. */
export interface Metrics {
  /** Adds to a counter; by default 1. */
  add<N extends NameOf<'counter'>>(name: N, labels?: LabelsOf<N>, by?: number): void
  /** Puts a value into a histogram. */
  observe<N extends NameOf<'histogram'>>(name: N, value: number, labels?: LabelsOf<N>): void
  /** Calls a reader at each scrape. Where it fails, what it has not set is missing. */
  read(reader: Reader): void
  /** Everything in the text format of Prometheus. Whoever asks while it is made gets the same. */
  scrape(): Promise<string>
  /** The media type of that text. */
  readonly contentType: string
}

/** The options of {@link openMetrics}. */
interface MetricsOptions {
  /** Besides `common`. */
  readonly groups: readonly Exclude<Group, 'common'>[]
  /** Gets the error of a reader; of scrapes that fail one after the other, that of the first. */
  readonly failed: (error: unknown) => void
}

/** Milliseconds between two looks at the delay of the event loop. At 10, the default, an idle process is awake all the time. */
const PRECISION = 50

/** Opens the metrics of a service: those of its groups, and those of prom-client about the process. */
export function openMetrics({ groups, failed }: MetricsOptions): Metrics {
  return new Measures(groups, failed)
}

class Measures implements Metrics {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, Histogram>()
  readonly #readers: Reader[] = []
  readonly #failed: MetricsOptions['failed']
  #scraping: Promise<string> | undefined
  #isFailing = false

  constructor(groups: MetricsOptions['groups'], failed: MetricsOptions['failed']) {
    this.#failed = failed
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: PRECISION })
    for (const group of ['common', ...groups] as const) {
      for (const [name, metric] of Object.entries<Metric>(METRICS[group])) this.#make(name, metric)
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  add<N extends NameOf<'counter'>>(name: N, labels?: LabelsOf<N>, by = 1): void {
    known(this.#counters, name).inc(labels ?? {}, by)
  }

  observe<N extends NameOf<'histogram'>>(name: N, value: number, labels?: LabelsOf<N>): void {
    known(this.#histograms, name).observe(labels ?? {}, value)
  }

  read(reader: Reader): void {
    this.#readers.push(reader)
  }

  scrape(): Promise<string> {
    this.#scraping ??= this.#scrape().finally(() => {
      this.#scraping = undefined
    })
    return this.#scraping
  }

  async #scrape(): Promise<string> {
    for (const gauge of this.#gauges.values()) {
      gauge.reset()
      // Without labels it would be 0 again, and not missing.
      gauge.remove({})
    }
    const read = await Promise.allSettled(this.#readers.map(async (reader) => reader(this.#set)))
    const failure = read.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
    if (failure && !this.#isFailing) this.#failed(failure.reason)
    this.#isFailing = failure !== undefined
    return this.#registry.metrics()
  }

  // A reader has the total of a counter; prom-client only adds.
  readonly #set: SetValue = (name, value, labels) => {
    const gauge = this.#gauges.get(name)
    if (gauge) {
      gauge.set(labels ?? {}, value)
      return
    }
    const counter = known(this.#counters, name)
    counter.remove(labels ?? {})
    counter.inc(labels ?? {}, value)
  }

  #make(name: string, { type, help, labels = {}, buckets }: Metric): void {
    const settings = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] }
    switch (type) {
      case 'counter': {
        const counter = new Counter(settings)
        for (const values of combinations(labels)) counter.inc(values, 0)
        this.#counters.set(name, counter)
        return
      }
      case 'gauge':
        this.#gauges.set(name, new Gauge(settings))
        return
      case 'histogram':
        this.#histograms.set(name, new Histogram({ ...settings, ...(buckets && { buckets: [...buckets] }) }))
    }
  }
}

function known<T>(of: ReadonlyMap<string, T>, name: MetricName): T {
  const found = of.get(name)
  if (!found) throw new TypeError(`${name} is no metric of this service.`)
  return found
}

// With an open label there is none to begin with.
function combinations(labels: NonNullable<Metric['labels']>): Record<string, string>[] {
  let all: Record<string, string>[] = [{}]
  for (const [label, values] of Object.entries(labels)) {
    if (values === 'open') return []
    all = all.flatMap((one) => values.map((value) => ({ ...one, [label]: value })))
  }
  return all
}
