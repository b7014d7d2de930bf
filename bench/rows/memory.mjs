import { readFileSync } from 'node:fs'
import { load } from '../measure.mjs'

const TOKENS = 10_000

/** Memory of the resource service after 10,000 distinct tokens, and after minutes of load with them. */
export async function memory({ pair, long }) {
  const auth = await pair.startAuth({ DATABASE_URL: await pair.createDatabase() })
  const resource = await pair.startResource()
  try {
    const tokens = await pair.accessTokens(TOKENS)
    const job = { url: resource.url, path: '/greet', tokens, connections: 20 }
    await load({ ...job, amount: TOKENS })
    const first = megabytes(resource.pid)
    const minutes = long ? 10 : 1
    const most = []
    for (let i = 0; i < minutes; i += 1) {
      await load({ ...job, duration: 60 })
      most.push(megabytes(resource.pid))
    }
    const row = { what: 'resource, 10,000 tokens seen', unit: 'MB resident' }
    return [
      { ...row, ours: first, beside: 'what it may take', other: 120, most: 1 },
      {
        what: `after ${minutes} min of load`,
        unit: row.unit,
        ours: most.at(-1),
        beside: 'what it may take',
        other: 120,
        most: 1
      }
    ]
  } finally {
    await Promise.all([auth.stop(), resource.stop()])
  }
}

/** @param {number | undefined} pid */
function megabytes(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}
