import { cores } from '../cores.mjs'
import { interleaved, load, measureRival } from '../measure.mjs'
import { BCRYPT_COST } from '../pair.mjs'
import { createPeople, loginBodies, PASSWORD, somePeople } from '../people.mjs'

/** Enough that no hashing thread waits for work, and few enough that no login waits for 3 s. */
const CONNECTIONS = 4 * cores.server.length

/** POST /login with the right password, beside bare compares of bcryptjs on the same cores. */
export async function login({ pair, rounds, seconds }) {
  const database = await createPeople(pair, 1000)
  const auth = await pair.startAuth(database)
  const bodies = loginBodies(await somePeople(pair, database, 1000))
  const job = { url: auth.url, path: '/login', method: 'POST', bodies, connections: CONNECTIONS, duration: 2 * seconds }
  const env = { SECONDS: String(2 * seconds), BCRYPT_COST, PASSWORD }
  const ways = { ours: () => load(job), bcrypt: () => measureRival('compares', env) }
  // One at a time, until the hashing threads are warm: who is refused here would ask again at once, and for ever.
  await load({ ...job, connections: 1 })
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
