import { AUTH_METRICS } from './auth-metrics.ts'
import { CHAT_METRICS } from './chat-metrics.ts'
import { COMMON_METRICS, DATABASE_METRICS } from './common-metrics.ts'
import type { LabelValues, Metric } from './definition.ts'
import { VERIFIER_METRICS } from './verifier-metrics.ts'

/** The closed list of metrics, in groups. docs/metrics.md has the same table. */
export const METRICS = {
  common: COMMON_METRICS,
  database: DATABASE_METRICS,
  auth: AUTH_METRICS,
  verifier: VERIFIER_METRICS,
  chat: CHAT_METRICS
} as const

/** A group of metrics; each service has `common` and some of the others. */
export type Group = keyof typeof METRICS

type All = typeof COMMON_METRICS &
  typeof DATABASE_METRICS &
  typeof AUTH_METRICS &
  typeof VERIFIER_METRICS &
  typeof CHAT_METRICS

/** The name of a metric. */
export type MetricName = keyof All

/** The names of the metrics of one type. */
export type NameOf<T extends Metric['type']> = {
  [N in MetricName]: All[N]['type'] extends T ? N : never
}[MetricName]

type ValueOf<V> = V extends readonly string[] ? V[number] : string

/** The labels of a metric, each with one of its values. */
export type LabelsOf<N extends MetricName> = All[N] extends {
  readonly labels: infer L extends Readonly<Record<string, LabelValues>>
}
  ? { readonly [K in keyof L]: ValueOf<L[K]> }
  : Readonly<Record<string, never>>
