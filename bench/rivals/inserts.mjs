// Messages a second that PostgreSQL takes as bare INSERTs with an identity column: no members, no numbers of a room, nothing
// that is found again.
import { randomUUID } from 'node:crypto'
import pg from 'pg'

const { DATABASE_URL: connectionString, IN_FLIGHT, ROOMS, SECONDS } = process.env
const pool = new pg.Pool({ connectionString, max: 10 })
await pool.query(
  `CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room uuid, sender uuid, client_id uuid,
     text text, created_at timestamptz DEFAULT now())`
)
const rooms = Array.from({ length: Number(ROOMS) }, () => randomUUID())
const sender = randomUUID()
const statement = {
  name: 'insert',
  text: 'INSERT INTO bare (room, sender, client_id, text) VALUES ($1, $2, $3, $4) RETURNING id'
}
const begun = performance.now()
const end = begun + Number(SECONDS) * 1000
let sent = 0
const work = async () => {
  while (performance.now() < end) {
    const room = rooms[sent % rooms.length]
    await pool.query({ ...statement, values: [room, sender, randomUUID(), 'Good morning, everybody.'] })
    sent += 1
  }
}
await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, work))
process.send?.((sent * 1000) / (performance.now() - begun))
await pool.end()
process.disconnect()
