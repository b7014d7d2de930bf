import { warmLogins } from '../loads.mjs'
import { interleaved, load, measureRival } from '../measure.mjs'
import { BCRYPT_COST } from '../pair.mjs'
import { createPeople, PASSWORD } from '../people.mjs'

const PEOPLE = 1000

/** POST /login with the right password, beside bare compares of bcryptjs on the same cores. */
export async function login({ pair, rounds, seconds }) {
  const database = await createPeople(pair, PEOPLE)
  const auth = await pair.startAuth(database)
  const job = await warmLogins({ database, auth, people: PEOPLE, duration: 2 * seconds })
  const env = { SECONDS: String(2 * seconds), BCRYPT_COST, PASSWORD }
  const ways = { ours: () => load(job), bcrypt: () => measureRival('compares', env) }
  const found = await interleaved(ways, { warm: 1, rounds })
  await auth.stop()
  return [
    {
      what: `POST /login, bcrypt cost ${BCRYPT_COST}`,
      unit: 'logins/s',
      ours: found.ours,
      beside: 'bcryptjs alone',
      other: found.bcrypt,
      least: 0.9
    }
  ]
}
