import type { Metrics } from '../src/open.ts'

/** The values of one scrape: `name{label="value"}` to number, without those of the process. */
export async function valuesOf(metrics: Metrics): Promise<Record<string, number>> {
  return readValues(await metrics.scrape())
}

/** The same of a page in the text format of Prometheus. */
export function readValues(page: string): Record<string, number> {
  const lines = page.split('\n').filter((line) => /^(latchkey|http_server)_/.test(line))
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    })
  )
}
