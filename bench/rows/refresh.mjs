import { cores, printed } from '../cores.mjs'
import { loadRefreshes } from '../loads.mjs'
import { interleaved, measureRival } from '../measure.mjs'
import { createPeople } from '../people.mjs'

/** Signatures that one refresh needs: an access token and a refresh token. */
const SIGNATURES = 2
const SESSIONS = 160
/** Seconds after which the rate rises no more: some 25,000 refreshes. */
const WARM = 45

/** POST /refresh-token, each with the newest token, beside the signatures that the same cores can make. */
export async function refresh({ pair, rounds, seconds, quick }) {
  const database = await createPeople(pair, SESSIONS)
  const auth = await pair.startAuth(database)
  const refreshes = (/** @type {number} */ duration) =>
    loadRefreshes({ pair, database, auth, sessions: SESSIONS, connections: 16, duration })
  const jose = async () => perRefresh(await measureRival('signatures', { SECONDS: String(seconds) }))
  const openssl = async () => perRefresh({ value: await opensslSignatures() })
  if (!quick) await refreshes(WARM)
  const found = await interleaved({ ours: () => refreshes(seconds), jose, openssl }, { rounds })
  await auth.stop()
  const row = { what: 'POST /refresh-token', unit: 'refreshes/s', ours: found.ours }
  return [
    { ...row, beside: `jose alone, ${SIGNATURES} signatures each`, other: found.jose, least: 0.75 },
    { ...row, beside: `openssl speed, ${SIGNATURES} signatures each`, other: found.openssl }
  ]
}

/** @param {import('../measure.mjs').Run} run of signatures */
const perRefresh = ({ value }) => ({ value: value / SIGNATURES })

async function opensslSignatures() {
  const said = await printed('openssl', ['speed', '-seconds', '2', '-multi', String(cores.server.length), 'rsa2048'])
  // rsa 2048 bits 0.000500s 0.000015s 2000.0 66666.7: a signature, a verification, signatures a second, verifications
  const [, rate] = /^rsa\s+2048 bits\s+\S+s\s+\S+s\s+([\d.]+)/m.exec(said) ?? []
  if (rate === undefined) throw new Error(`openssl speed says nothing that can be read:\n${said}`)
  return Number(rate)
}
