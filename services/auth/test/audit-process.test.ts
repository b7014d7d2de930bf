import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLog } from '@latchkey/audit/verify'
import { openDatabase } from '@latchkey/database/pool'
import { addressOf, startChild } from '@latchkey/testing/child'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import { compactVerify, importJWK } from 'jose'
import t, { type Test } from 'tap'
import { keysDir, rsaPem } from './keys.ts'

const SERVER = new URL('../dist/server.js', import.meta.url)
const pems = { access: await rsaPem(), refresh: await rsaPem() }

async function prepare(t: Test) {
  const dir = keysDir(t, pems)
  const DATABASE_URL = await serviceUrl(await createDatabase(t))
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 2, ANSWER_TIMEOUT: 60 }, () => {})
  t.teardown(() => database.close())
  const settings = { PORT: '0', ISSUER: 'https://auth.example.com', AUDIENCE: 'latchkey', BCRYPT_COST: '10' }
  const start = () => startChild(t, SERVER, { ...settings, KEYS_DIR: dir, DATABASE_URL, RATE_LIMIT_PER_MINUTE: '0' })
  return { database, start }
}

async function post(address: string, path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return answer.status
}

t.test('at SIGTERM the counted refusals are written, all is sealed, and the signed head is in the log', async (t) => {
  const { database, start } = await prepare(t)
  const child = start()
  const address = await addressOf(child)
  const wrong = { email: 'nobody@example.com', password: 'not this one' }
  for (let i = 0; i < 5; i += 1) t.equal(await post(address, '/login', wrong), 401)
  child.process.kill('SIGTERM')
  const { code, stdout } = await child.ended
  t.equal(code, 0)
  const refused = await database.query<{ detail: object }>(
    "SELECT detail FROM audit_records WHERE event = 'login' AND seq IS NOT NULL ORDER BY seq"
  )
  t.strictSame(
    refused.map(({ detail }) => detail),
    [{ code: 'invalid_credentials' }, { code: 'invalid_credentials', repeated: 4 }]
  )
  const faults: string[] = []
  const verified = await verifyLog(database, {}, (fault) => faults.push(fault))
  t.strictSame(faults, [])
  t.match(verified, { unsealed: { count: 0 } })

  const lines = stdout.split('\n').filter((line) => line.includes('"audit_head"'))
  const { seq, hash } = JSON.parse(lines.at(-1) ?? '')
  const [{ jws } = { jws: '' }] = await database.query<{ jws: string }>('SELECT jws FROM audit_heads WHERE seq = $1', [
    seq
  ])
  t.equal(seq, verified.end)
  const [key] = await database.query<{ jwk: object }>('SELECT jwk FROM audit_keys')
  const { payload } = await compactVerify(jws, await importJWK(key?.jwk ?? {}, 'RS256'))
  t.match(JSON.parse(Buffer.from(payload).toString()), { iss: 'https://auth.example.com', seq, hash })
  t.notMatch(stdout, 'the audit log is not safe from the service')
})

t.test('two instances that are killed at any moment leave a whole log', async (t) => {
  const { database, start } = await prepare(t)
  let people = 0
  for (let round = 0; round < 3; round += 1) {
    const children = [start(), start()]
    const addresses = await Promise.all(children.map(addressOf))
    const work = addresses.map(async (address) => {
      for (let i = 0; i < 30; i += 1) {
        people += 1
        const body = { email: `person${people}@example.com`, username: 'Person', password: 'a quiet harbour at dawn' }
        await post(address, '/signup', body).catch(() => {})
      }
    })
    await sleep(700 + 450 * round)
    for (const { process } of children) process.kill('SIGKILL')
    await Promise.all([...work, ...children.map(({ ended }) => ended)])
  }
  const last = start()
  await addressOf(last)
  last.process.kill('SIGTERM')
  await last.ended
  const faults: string[] = []
  const verified = await verifyLog(database, {}, (fault) => faults.push(fault))
  t.strictSame(faults, [])
  t.match(verified, { unsealed: { count: 0 } })
  const [counted] = await database.query<{ users: number; records: number }>(
    "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM audit_records WHERE event = 'signup' AND outcome = 'done') AS records"
  )
  t.equal(counted?.records, counted?.users)
  t.comment(`${counted?.users} signed up`)
})
