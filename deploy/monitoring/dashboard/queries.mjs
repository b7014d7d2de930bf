// The forms of PromQL that the panels share. `$instance` is chosen at the top of the dashboard; `$__rate_interval` is Grafana's.

/** The braces of a query: the chosen instances, and these further matchers. @param {string} [more] */
export const of = (more) => `{instance=~"$instance"${more ? `, ${more}` : ''}}`

/** Only the services of Latchkey, for metrics that other programs have too. */
export const OURS = 'job=~"latchkey-.+"'

/** How often a minute, by these labels. @param {string} metric @param {string} by @param {string} [more] */
export const perMinute = (metric, by, more) => `60 * sum by (${by}) (rate(${metric}${of(more)}[$__rate_interval]))`

/** A quantile of a histogram, by these labels. @param {number} q @param {string} metric @param {string} by @param {string} [more] */
export const quantile = (q, metric, by, more) =>
  `histogram_quantile(${q}, sum by (${[...(by ? [by] : []), 'le'].join(', ')}) (rate(${metric}_bucket${of(more)}[$__rate_interval])))`

/** Three quantiles of a histogram as targets. @param {string} metric @param {string} [more] */
export const quantiles = (metric, more) =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, metric, '', more), legend: `p${q * 100}` }))

/** Seconds since a time that a metric has. @param {string} metric @param {string} [more] */
export const since = (metric, more) => `time() - ${metric}${of(more)}`

const ANSWERS = 'http_server_request_duration_seconds_count'
const rateOf = (/** @type {string} */ more) => `sum by (job) (rate(${ANSWERS}${of(more)}[$__rate_interval]))`

/** The share of 5xx; 0 where there was none yet, because the class is unknown until then. */
export const SHARE_OF_ERRORS = `(${rateOf(`${OURS}, status_class="5xx"`)} or 0 * ${rateOf(OURS)}) / ${rateOf(OURS)}`

/** The routes that renew tokens. */
export const REFRESH = 'job="latchkey-auth", http_route=~"/refresh-token|/refresh"'
