import { cores, printed, serverCores } from '../cores.mjs'
import { interleaved, load, rival } from '../measure.mjs'
import { logInAll, makePeople } from '../people.mjs'

/** Signatures that one refresh needs: an access token and a refresh token. */
const SIGNATURES = 2

/** POST /refresh-token, each with the newest token, beside the signatures that the same cores can make. */
export async function refresh({ pair, rounds, seconds }) {
  const auth = await pair.startAuth({ DATABASE_URL: await pair.createDatabase() })
  try {
    const people = await makePeople(auth.url, 16)
    const ours = async () => {
      const sessions = await logInAll(auth.url, people)
      const tokens = sessions.map(({ refresh_token }) => refresh_token)
      const job = { url: auth.url, path: '/refresh-token', method: 'POST', tokens, chain: true, connections: 16 }
      return (await load({ ...job, duration: seconds })).rate
    }
    const jose = async () => Number((await rival('signatures', { SECONDS: String(seconds) })).said) / SIGNATURES
    const openssl = async () => (await opensslSignatures(seconds)) / SIGNATURES
    await ours()
    const found = await interleaved({ ours, jose, openssl }, rounds)
    const row = { what: 'POST /refresh-token', unit: 'refreshes/s', ours: found.ours }
    return [
      { ...row, beside: `jose alone, ${SIGNATURES} signatures each`, other: found.jose, least: 0.7 },
      { ...row, beside: `openssl speed, ${SIGNATURES} signatures each`, other: found.openssl }
    ]
  } finally {
    await auth.stop()
  }
}

/** @param {number} seconds */
async function opensslSignatures(seconds) {
  const args = [
    'speed',
    '-seconds',
    String(seconds),
    ...(cores.server ? ['-multi', String(serverCores)] : []),
    'rsa2048'
  ]
  const [, , , rate] = /rsa 2048 bits\s+(\S+)s\s+(\S+)s\s+(\S+)/.exec(await printed('openssl', args)) ?? []
  return Number(rate)
}
