/**
 * The values of a label: all that there are, or `open` where the service finds them, such as the ids of its keys. No value
 * of either comes from a client, so nobody outside can add a time series.
 */
export type LabelValues = readonly string[] | 'open'

/** One metric. A counter and a histogram begin at 0 with each value of their closed labels. */
export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** What it says; for people who look at /metrics. */
  readonly help: string
  readonly labels?: Readonly<Record<string, LabelValues>>
  /** The upper bounds of a histogram; at most eleven. */
  readonly buckets?: readonly number[]
}
