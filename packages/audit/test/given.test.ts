import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import t, { type Test } from 'tap'
import { readHeads } from '../src/given-heads.ts'
import { readPublicKeys } from '../src/given-keys.ts'

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-given-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const hash = 'ab'.repeat(32)
const jwsOf = (payload: object) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`
const jws = jwsOf({ seq: 9, hash, at: 'x' })

t.test('a head is a JWS, JSON, or a line of the log, also behind a prefix', async (t) => {
  const folder = await folderOf(t)
  const file = join(folder, 'log')
  const found = async (text: string) => {
    await writeFile(file, text)
    return (await readHeads(file, 'auth')).map(({ seq, hash, jws, source }) => [seq, hash.toString('hex'), jws, source])
  }
  const plain = JSON.stringify({ seq: 9, hash })
  for (const text of [plain, plain.replace(hash, hash.toUpperCase()), ` ${jws}\n`, JSON.stringify({ jws })]) {
    t.match((await readHeads(text, 'auth'))[0], { seq: 9, hash: Buffer.from(hash, 'hex') }, text)
  }
  t.strictSame(await found(jws), [[9, hash, jws, `${file}:1`]])
  const line = JSON.stringify({ level: 30, event: 'audit_head', seq: 9, hash, jws })
  t.strictSame(await found(`first\r\nauth-1 | ${line}\r\n${plain}`), [
    [9, hash, jws, `${file}:2`],
    [9, hash, null, `${file}:3`]
  ])
  t.strictSame(await found(JSON.stringify({ seq: 9, hash }, null, 2)), [[9, hash, null, file]])
})

t.test('lines that only look like heads are skipped: records, other events, halves, and a list', async (t) => {
  const folder = await folderOf(t)
  const file = join(folder, 'log')
  const lines = [
    { event: 'login', seq: 9, hash },
    { event: 'audit_pruned', seq: 9, hash },
    { seq: 9, hash: 'ab' },
    { seq: '9', hash },
    { seq: -1, hash },
    { seq: 2 ** 53, hash },
    { seq: 1.5, hash },
    [{ seq: 9, hash }],
    null
  ].map((value) => JSON.stringify(value))
  await writeFile(
    file,
    [...lines.filter((line) => !line.startsWith('[')), '{"seq":9,"hash":"', jwsOf({ seq: 9 }), 'a.b.c'].join('\n')
  )
  await t.rejects(readHeads(file, 'auth'), { message: `${file} contains no head of the auth service: ` })
})

t.test('what is no head is told in words', async (t) => {
  const folder = await folderOf(t)
  const mistakes = {
    [join(folder, 'nothing')]: /^there is no file .*nothing, and it is no head itself$/,
    [folder]: /^.* is a folder: --head takes a file$/,
    '{"seq":1}': /^a head that was given as text has no seq and hash, and no jws, or is not of the auth service$/,
    [jwsOf({ seq: 1 })]: /^there is no file /,
    '': /^there is no file/
  }
  for (const [given, message] of Object.entries(mistakes)) await t.rejects(readHeads(given, 'auth'), { message }, given)
})

t.test('of a log that several services write, each takes its own heads', async (t) => {
  const folder = await folderOf(t)
  const file = join(folder, 'log')
  const lines = ['auth', 'chat', 'chat'].map(
    (service, n) => `${service}-1  | ${JSON.stringify({ service, event: 'audit_head', seq: n + 1, hash })}`
  )
  await writeFile(file, lines.join('\n'))
  const found = async (service: string) => (await readHeads(file, service)).map(({ seq }) => seq)
  t.strictSame([await found('auth'), await found('chat')], [[1], [2, 3]])
  await t.rejects(found('resource'), { message: `${file} contains no head of the resource service: ` })
  await t.rejects(readHeads(`{"service":"auth","seq":1,"hash":"${hash}"}`, 'chat'), {
    message: 'a head that was given as text has no seq and hash, and no jws, or is not of the chat service'
  })
})

function keyPair() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = publicKey.export({ format: 'jwk' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { jwk, pem, privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

t.test('keys come from a folder of keys, a PEM file, or a key set, by their thumbprints', async (t) => {
  const folder = await folderOf(t)
  const [one, two] = [keyPair(), keyPair()]
  const kids = [await calculateJwkThumbprint(one.jwk), await calculateJwkThumbprint(two.jwk)]
  await mkdir(join(folder, 'access'))
  await writeFile(join(folder, 'access/current.public.pem'), one.pem)
  await writeFile(join(folder, 'access/current.private.pem'), one.privatePem)
  await writeFile(join(folder, 'access/next.public.pem'), two.pem)
  const set = join(folder, 'jwks.json')
  await writeFile(
    set,
    JSON.stringify({ keys: [{ ...one.jwk, kid: 'a false one' }, two.jwk, { kty: 'EC' }, { ...two.jwk, alg: 'PS256' }] })
  )
  for (const path of [folder, join(folder, 'access'), set]) {
    t.strictSame([...(await readPublicKeys(path)).keys()].sort(), [...kids].sort(), path)
  }
  t.strictSame([...(await readPublicKeys(join(folder, 'access/next.public.pem'))).keys()], kids.slice(1))
})

t.test('what is no key is told in words', async (t) => {
  const folder = await folderOf(t)
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  await t.rejects(readPublicKeys(join(folder, 'nothing')), { message: /^there is no file or folder .*nothing$/ })
  await t.rejects(readPublicKeys(folder), { message: /contains no \*\.public\.pem, and no folder access that does$/ })
  for (const text of ['', 'not a key', '{}', '{"keys":[]}', '{"keys":[{"kty":"RSA"}]}', '{', keyPair().privatePem]) {
    await t.rejects(
      readPublicKeys(await write('file', text)),
      { message: /file is no public key in PEM and no JWK set: / },
      text
    )
  }
})
