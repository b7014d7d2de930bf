import { interleaved, load, rival } from '../measure.mjs'
import { loginBodies, makePeople } from '../people.mjs'

const COST = '10'

/** POST /login with the right password, beside bare compares of bcryptjs on the same cores. */
export async function login({ pair, rounds, seconds }) {
  const auth = await pair.startAuth({ DATABASE_URL: await pair.createDatabase(), BCRYPT_COST: COST })
  try {
    const people = await makePeople(auth.url, 16)
    const bodies = loginBodies(people.map(({ email }) => email))
    const job = { url: auth.url, path: '/login', method: 'POST', bodies, connections: 8, duration: 2 * seconds }
    const ours = async () => (await load(job)).rate
    const bcrypt = async () => Number((await rival('compares', { SECONDS: String(2 * seconds), COST })).said)
    const found = await interleaved({ ours, bcrypt }, rounds)
    return [
      {
        what: 'POST /login',
        unit: 'logins/s',
        ours: found.ours,
        beside: 'bcryptjs alone',
        other: found.bcrypt,
        least: 0.9
      }
    ]
  } finally {
    await auth.stop()
  }
}
