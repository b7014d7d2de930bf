import { warmLogins } from '../loads.mjs'
import { interleaved, load, measureRival } from '../measure.mjs'
import { BCRYPT_COST } from '../pair.mjs'
import { createPeople, PASSWORD } from '../people.mjs'

const PEOPLE = 1000

/** Has Node load no native code, so that the service hashes with bcryptjs. */
const WITHOUT_NATIVE = { NODE_OPTIONS: '--no-addons' }

/** POST /login with the right password, beside bare compares of bcryptjs, and the service without native bcrypt. */
export async function login({ pair, rounds, seconds }) {
  const database = await createPeople(pair, PEOPLE)
  const auth = await pair.startAuth(database)
  const scripted = await pair.startAuth(database, 0, 'server', WITHOUT_NATIVE)
  const people = { database, people: PEOPLE, duration: 2 * seconds }
  const jobs = {
    native: await warmLogins({ auth, ...people }),
    scripted: await warmLogins({ auth: scripted, ...people })
  }
  const env = { SECONDS: String(2 * seconds), BCRYPT_COST, PASSWORD }
  const ways = {
    ours: () => load(jobs.native),
    bcrypt: () => measureRival('compares', env),
    scripted: () => load(jobs.scripted)
  }
  const found = await interleaved(ways, { warm: 1, rounds })
  await Promise.all([auth.stop(), scripted.stop()])
  const row = { what: `POST /login, bcrypt cost ${BCRYPT_COST}`, unit: 'logins/s', ours: found.ours }
  return [
    { ...row, beside: 'bcryptjs alone', other: found.bcrypt, least: 0.9 },
    { ...row, beside: 'the same service without native bcrypt', other: found.scripted, least: 1.25 }
  ]
}
