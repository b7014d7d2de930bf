// The one-shot of docker-compose.yml that makes keys and passwords, as a process on folders of its own.
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { keysToCopy } from './key-scripts.ts'

const script = fileURLToPath(new URL('../../services/auth/docker/make-secrets.sh', import.meta.url))
const copyKeys = await keysToCopy(t)

interface Volumes {
  readonly owner: string
  readonly service: string
  readonly chatOwner: string
  readonly chatService: string
  readonly feed: string
  run(): Promise<void>
}

/** The six volumes, the keys made already, because that takes its time. */
async function volumes(t: Test): Promise<Volumes> {
  const keys = await copyKeys(t)
  const folder = async (name: string) => {
    await mkdir(path.join(keys, name))
    return path.join(keys, name)
  }
  const [owner, service, feed] = [await folder('owner'), await folder('service'), await folder('feed')]
  const [chatOwner, chatService] = [await folder('chat-owner'), await folder('chat-service')]
  const env = {
    PATH: process.env['PATH'],
    KEYS_DIR: keys,
    OWNER_DIR: owner,
    SERVICE_DIR: service,
    CHAT_OWNER_DIR: chatOwner,
    CHAT_SERVICE_DIR: chatService,
    FEED_DIR: feed,
    DATABASE_URL_FORM: 'postgres://%s:%s@database:5432/latchkey',
    CHAT_DATABASE_URL_FORM: 'postgres://%s:%s@database:5432/chat'
  }
  const run = async () => void (await promisify(execFile)('bash', [script], { env }))
  return { owner, service, chatOwner, chatService, feed, run }
}

/** All files of a folder with their modes. */
async function filesOf(folder: string): Promise<Record<string, { mode: number; text: string }>> {
  const entries = (await readdir(folder)).map(async (name) => {
    const file = path.join(folder, name)
    return [name, { mode: (await stat(file)).mode & 0o777, text: await readFile(file, 'utf8') }]
  })
  return Object.fromEntries(await Promise.all(entries))
}

t.test('the owner and the service have a password each, and each folder has its own alone', async (t) => {
  const { owner, service, run } = await volumes(t)
  await run()
  const owners = await filesOf(owner)
  const services = await filesOf(service)
  const password = String(owners['password']?.text.trim())
  t.match(password, /^[\da-f]{64}$/)
  t.strictSame(owners, {
    password: { mode: 0o640, text: `${password}\n` },
    url: { mode: 0o600, text: `postgres://latchkey:${password}@database:5432/latchkey\n` }
  })
  t.match(services, {
    url: { mode: 0o600, text: /^postgres:\/\/latchkey_service:[\da-f]{64}@database:5432\/latchkey\n$/ }
  })
  t.strictSame(Object.keys(services), ['url'])
  t.notMatch(JSON.stringify(services), password)

  await run()
  t.strictSame([await filesOf(owner), await filesOf(service)], [owners, services], 'the second run changes nothing')
})

t.test('the chat has two users of its own, who share no password with anybody', async (t) => {
  const { owner, service, chatOwner, chatService, run } = await volumes(t)
  await run()
  const [owners, services] = [await filesOf(chatOwner), await filesOf(chatService)]
  t.match(
    [owners, services],
    [
      { url: { mode: 0o600, text: /^postgres:\/\/latchkey_chat_owner:[\da-f]{64}@database:5432\/chat\n$/ } },
      { url: { mode: 0o600, text: /^postgres:\/\/latchkey_chat:[\da-f]{64}@database:5432\/chat\n$/ } }
    ]
  )
  const all = [owners, services, await filesOf(owner), await filesOf(service)]
  const passwords = all.map(({ url }) => new URL(String(url?.text)).password)
  t.equal(new Set(passwords).size, 4)
  await run()
  t.strictSame([await filesOf(chatOwner), await filesOf(chatService)], [owners, services])
})

t.test('volumes of an older version keep the password that the database has, and get the second one', async (t) => {
  const { owner, service, run } = await volumes(t)
  const old = { password: 'old\n', url: 'postgres://latchkey:old@database:5432/latchkey\n' }
  for (const [name, text] of Object.entries(old)) await writeFile(path.join(owner, name), text)
  await run()
  for (const [name, text] of Object.entries(old)) t.equal(await readFile(path.join(owner, name), 'utf8'), text)
  t.match(await readFile(path.join(service, 'url'), 'utf8'), /^postgres:\/\/latchkey_service:[\da-f]{64}@/)
})

t.test('a run that was cut off is completed by the next, whatever is missing', async (t) => {
  const { owner, service, run } = await volumes(t)
  await run()
  const [owners, services] = [await filesOf(owner), await filesOf(service)]
  await rm(path.join(owner, 'url'))
  await run()
  t.strictSame(await filesOf(owner), owners, 'the URL has the password that was there')
  await rm(path.join(service, 'url'))
  await run()
  t.notSame(await filesOf(service), services, 'a new password, which migrate gives to the user')
  t.strictSame(await filesOf(owner), owners)
})

t.test('the feed has a token of its own, which stays', async (t) => {
  const { owner, service, feed, run } = await volumes(t)
  await Promise.all([run(), run()])
  const files = await filesOf(feed)
  t.match(files, { token: { mode: 0o600, text: /^[\da-f]{64}\n$/ } })
  t.strictSame(Object.keys(files), ['token'])
  const token = String(files['token']?.text.trim())
  t.notMatch(JSON.stringify([await filesOf(owner), await filesOf(service)]), token)
  await run()
  t.strictSame(await filesOf(feed), files)
})

t.test('of several runs at once one makes the passwords', async (t) => {
  const { owner, service, run } = await volumes(t)
  await Promise.all([run(), run(), run()])
  const { password, url, ...more } = await filesOf(owner)
  t.match(url?.text, `latchkey:${password?.text.trim()}@`)
  t.strictSame([more, Object.keys(await filesOf(service))], [{}, ['url']], 'nothing is left behind')
})
