import { loadRefreshes, warmLogins } from '../loads.mjs'
import { interleaved, load } from '../measure.mjs'
import { BCRYPT_COST } from '../pair.mjs'
import { openPeers } from '../peers.mjs'
import { createPeople, PASSWORD } from '../people.mjs'

const PEOPLE = 32

/** What has a counterpart in better-auth, beside it. No bars: the two do not do the same. */
export async function betterAuth({ pair, rounds, seconds, quick }) {
  const database = await createPeople(pair, PEOPLE)
  const auth = await pair.startAuth(database)
  const other = await (await openPeers(pair)).betterAuth()
  const cookies = []
  for (let i = 0; i < PEOPLE; i += 1) cookies.push(await signUp(other.url, i))

  const same = { connections: 16, duration: seconds }
  const refresh = () => loadRefreshes({ ...same, pair, database, auth, sessions: PEOPLE })
  const token = () => load({ ...same, url: other.url, path: '/api/auth/token', cookies })
  const tokens = await interleaved({ refresh, token }, { warm: quick ? 1 : 3, rounds })

  const job = await warmLogins({ database, auth, people: PEOPLE, duration: 2 * seconds })
  const bodies = cookies.map((_, i) => JSON.stringify({ email: emailOf(i), password: PASSWORD }))
  const ways = {
    login: () => load(job),
    signIn: () => load({ ...job, url: other.url, path: '/api/auth/sign-in/email', bodies })
  }
  const found = await interleaved(ways, { warm: 1, rounds })
  await Promise.all([auth.stop(), other.stop()])
  return [
    {
      what: 'POST /refresh-token: two tokens, rotated',
      unit: 'requests/s',
      ours: tokens.refresh,
      beside: 'better-auth GET /api/auth/token: one token',
      other: tokens.token
    },
    {
      what: `POST /login, bcrypt cost ${BCRYPT_COST}`,
      unit: 'requests/s',
      ours: found.login,
      beside: 'better-auth POST /api/auth/sign-in/email, scrypt',
      other: found.signIn
    }
  ]
}

const emailOf = (/** @type {number} */ i) => `person${i}@bench.example.com`

/**
 * @param {string} url
 * @param {number} i
 * @returns {Promise<string>} the cookie of the session
 */
async function signUp(url, i) {
  const answer = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ name: 'Ada', email: emailOf(i), password: PASSWORD })
  })
  if (!answer.ok) throw new Error(`better-auth signs nobody up: ${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}
