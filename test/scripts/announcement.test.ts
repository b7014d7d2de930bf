import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { announcement } from '../../scripts/announcement.mjs'
import { root } from '../../scripts/command.mjs'
import { readSettings } from '../../scripts/environment.mjs'
import { fakeScreen } from './fake-screen.ts'

/** What is announced with these settings. */
function announced(env: Record<string, string> = {}, { columns = 80, isOurs = true, hasChat = true } = {}): string {
  const settings = readSettings(path.join(root, 'keys-of-nobody'), { ...DEFAULTS, ...env })
  const place = {
    keys: path.join(root, 'keys'),
    folders: isOurs ? [path.join(root, 'data'), path.join(root, 'data/pg')] : undefined,
    names: hasChat ? (['auth', 'resource', 'chat'] as const) : (['auth', 'resource'] as const),
    after: '3.9 s'
  }
  return announcement(settings, place, fakeScreen({ columns }).screen)
}

const DEFAULTS = { HOST: '127.0.0.1', REVOCATION_FEED: 'open' }

t.test('it fits on one screen of 80 columns and 24 lines', async (t) => {
  const lines = announced().split('\n')
  t.ok(lines.length <= 24, `${lines.length} lines`)
  // The command is to be pasted as it is.
  const long = lines.filter((line) => line.length > 80 && !line.includes('"password"'))
  t.strictSame(long, [])
})

t.test('it has the addresses, and where things lie, from this folder on', async (t) => {
  const text = announced()
  t.match(text, /^ {2}Latchkey \d+\.\d+\.\d+ is ready after 3\.9 s$/m)
  t.match(text, /^ {2}auth {6}http:\/\/127\.0\.0\.1:9090 {3}http:\/\/127\.0\.0\.1:9090\/docs$/m)
  t.match(text, /^ {2}chat {6}http:\/\/127\.0\.0\.1:8090 {3}http:\/\/127\.0\.0\.1:8090\/docs$/m)
  t.match(text, /^ {2}metrics {3}http:\/\/127\.0\.0\.1:9091\/metrics http:/m)
  t.match(text, /^ {2}data {6}data \(to begin anew, stop and: rm -rf data\)$/m)
  t.match(text, /^ {2}keys {6}keys \(not part of the data\)$/m)
  t.match(text, /^ {2}mail {6}data\/mail\/ /m)
  t.notMatch(announced({}, { hasChat: false }), ':8090')
  t.match(announced({}, { isOurs: false }), 'in the database of DATABASE_URL')
})

t.test('what is off names the setting that turns it on', async (t) => {
  const text = announced().replaceAll(/\n {12}/g, ' ')
  t.match(text, /^ {2}on .*sign-up for everybody, revocation feed \(open\), cookies, chat$/m)
  t.match(
    text,
    /^ {2}off .*\(REQUIRE_VERIFIED_EMAIL\), Redis \(REDIS_URL\), a mail server \(SMTP_URL\); set them in \.env$/m
  )
  const other = announced({
    REDIS_URL_FILE: 'redis-url',
    SMTP_URL: 'smtp://mail.example',
    REQUIRE_VERIFIED_EMAIL: 'on',
    COOKIE_DOMAIN: 'example.com',
    REVOCATION_FEED: 'off'
  }).replaceAll(/\n {12}/g, ' ')
  t.match(other, /^ {2}on .*only proven addresses, cookies for example\.com, chat, limits in Redis, mail by SMTP$/m)
  t.match(other, /^ {2}off {7}revocation feed \(REVOCATION_FEED\); set them in \.env$/m)
  t.match(other, /^ {2}mail {6}by the mail server of SMTP_URL$/m)
})

t.test('who cannot sign up is invited', async (t) => {
  const text = announced({ SIGNUP: 'invited' })
  t.match(text, 'npm run admin -- invite $email\n  npm run admin -- grant admin $email')
  t.notMatch(text, 'curl')
  t.match(text, 'sign-up (SIGNUP=invited)')
})

t.test('on a narrow terminal the rows are broken at words', async (t) => {
  const lines = announced({}, { columns: 60 }).split('\n')
  t.match(lines.join('\n'), /^ {12}each with \/docs$/m)
  const long = lines.filter((line) => line.length > 60 && !/"|\/signup|In another/.test(line))
  t.strictSame(long, [])
})

t.test('README.md shows it', async (t) => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  const screen = announced().slice('\n'.length).trimEnd()
  t.ok(readme.includes(`\`\`\`text\n${screen}\n\`\`\`\n`), screen)
})
