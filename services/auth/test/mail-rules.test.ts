import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { hashOfCode, newCode } from '../src/mail/codes.ts'
import { codesOf, judge, pauseOf, waitOf } from '../src/mail/judge.ts'
import { createWriter, spanOf } from '../src/mail/letters.ts'
import { PURPOSES, type Purpose } from '../src/mail/purposes.ts'
import { faultOfTemplates, readTemplates } from '../src/mail/templates.ts'

t.test('a code has 26 symbols of Crockford, and is read as people type it', async (t) => {
  const codes = Array.from({ length: 2000 }, newCode)
  t.match(codes, Array(2000).fill(/^[0-9A-HJKMNP-TV-Z]{26}$/))
  t.equal(new Set(codes).size, 2000)
  t.equal(new Set(codes.join('')).size, 32, 'each symbol occurs')
  const hash = hashOfCode('0M3KQ7B2XD91ZTRVH5NAC8WPG1')
  for (const typed of [
    'om3kq-7b2xd-91ztr-vh5na-c8wpgi',
    ' 0M3KQ 7B2XD 91ZTR VH5NA C8WPGL\n',
    '0M3KQ–7B2XD—91ZTR‑VH5NA-C8WPG1'
  ]) {
    t.strictSame(hashOfCode(typed), hash, typed)
  }
  t.notSame(hashOfCode('0M3KQ7B2XD91ZTRVH5NAC8WPG2'), hash)
})

/** What nodemailer says, and what it means. */
const JUDGEMENTS: [error: Parameters<typeof judge>[0], judgement: string][] = [
  [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response: '550 5.1.1 no such user' }, 'refused'],
  [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 553, response: '553 no' }, 'refused'],
  [{ code: 'EMESSAGE', command: 'DATA', responseCode: 554, response: '554 5.6.0 no' }, 'refused'],
  [{ code: 'EMESSAGE', command: 'DATA', responseCode: 451, response: '451 4.7.1 greylisted' }, 'wait'],
  [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response: '550-5.7.26 not authenticated' }, 'wait'],
  [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 421, response: '421 busy' }, 'wait'],
  [{ code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 553, response: '553 5.7.1 not yours' }, 'pause'],
  [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535, response: '535 5.7.8 wrong' }, 'pause'],
  [{ code: 'EPROTOCOL', responseCode: 554, response: '554 no' }, 'pause'],
  [{ code: 'ETLS', command: 'STARTTLS', responseCode: 454, response: '454 no' }, 'pause'],
  [{ code: 'ECONNECTION', command: 'DATA' }, 'pause'],
  [{ code: 'ETIMEDOUT', command: 'RCPT TO' }, 'pause'],
  [{ code: 'EABORT' }, 'pause'],
  [{}, 'pause']
]

t.test('a failed attempt is judged by the step and the status', async (t) => {
  for (const [error, judgement] of JUDGEMENTS) t.equal(judge(error), judgement, JSON.stringify(error))
  t.equal(
    codesOf({ code: 'EMESSAGE', command: 'DATA', responseCode: 554, response: '554 5.6.0 Ada said' }),
    'EMESSAGE DATA 554 5.6.0'
  )
  t.equal(codesOf({}), 'unknown')
})

t.test('waits grow by three and pauses by two, up to a bound', async (t) => {
  const waits = (hasCode: boolean) =>
    [1, 2, 3, 4, 5, 9, 1e9].map((attempts) => Math.round(waitOf(attempts, hasCode, 0.5)))
  t.strictSame(waits(true), [10, 30, 90, 270, 600, 600, 600])
  t.strictSame(waits(false), [10, 30, 90, 270, 810, 3600, 3600])
  t.strictSame([waitOf(1, true, 0), Math.round(waitOf(1, true, 1))], [8, 12])
  t.strictSame([0, 1, 2, 5, 6, 1e9].map(pauseOf), [1, 2, 4, 32, 60, 60])
  t.strictSame([1, 60, 600, 5400, 86_400].map(spanOf), ['1 second', '1 minute', '10 minutes', '90 minutes', '1 day'])
})

const LIVES = { verification: 86_400, reset: 600, invitation: 7 * 86_400 }
const writer = (publicUrl: string | undefined, templates = readTemplates(undefined)) =>
  createWriter({ publicUrl, issuer: 'https://auth.example.com:8443/x', lives: LIVES, templates })

t.test('every mail says who it is from and what to do, in plain text and in HTML', async (t) => {
  for (const [publicUrl, service] of [
    ['https://app.example.com/login/', 'app.example.com'],
    [undefined, 'auth.example.com:8443']
  ] as const) {
    for (const purpose of Object.keys(PURPOSES) as Purpose[]) {
      const hasCode = 'code' in PURPOSES[purpose]
      const code = hasCode ? { code: '0M3KQ7B2XD91ZTRVH5NAC8WPG1' } : {}
      const { subject, text, html = '' } = writer(publicUrl)(purpose, { to: "o'hara+x@example.com", ...code })
      const about = `${purpose} ${publicUrl}`
      t.match({ subject, text }, { subject: service, text: service }, about)
      t.match(text, /If (it was not you|you do not know)/, about)
      t.notMatch(subject + text + html, /\{\{|undefined|o'hara\+x@/, about)
      t.notMatch(html, /<(img|script|link|iframe)|src=|url\(/i, about)
      t.equal(text.includes('0M3KQ-7B2XD-91ZTR-VH5NA-C8WPG1'), hasCode, about)
      t.equal(html.includes('0M3KQ-7B2XD-91ZTR-VH5NA-C8WPG1'), hasCode, about)
      const link = /^https:.*$/m.exec(text)?.[0]
      if (!publicUrl || !hasCode) t.equal(link, undefined, about)
      else {
        const { page } = PURPOSES[purpose] as { page?: string }
        t.equal(
          link,
          `https://app.example.com/login/${page}#email=o'hara%2Bx%40example.com&code=0M3KQ7B2XD91ZTRVH5NAC8WPG1`,
          about
        )
        t.match(html, String(link).replaceAll('&', '&#38;').replaceAll("'", '&#39;'), about)
      }
    }
  }
})

function folder(files: Record<string, string>): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'latchkey-templates-'))
  t.teardown(() => import('node:fs/promises').then(({ rm }) => rm(dir, { recursive: true })))
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(dir, name), content)
  return dir
}

t.test('templates stand in for the texts, and are escaped in HTML alone', async (t) => {
  const dir = folder({
    'reset_password.txt': 'Ein neues Passwort\n\nCode: {{code}} ({{within}})\n{{link}}\n',
    'reset_password.html': '<p>{{code}} {{link}}</p>',
    'password_changed.txt': 'Geändert bei {{service}}\nJetzt.'
  })
  const write = writer('https://app.example.com', readTemplates(dir))
  t.strictSame(write('reset_password', { to: 'a&b@example.com', code: '0M3KQ7B2XD91ZTRVH5NAC8WPG1' }), {
    subject: 'Ein neues Passwort',
    text: 'Code: 0M3KQ-7B2XD-91ZTR-VH5NA-C8WPG1 (within 10 minutes)\nhttps://app.example.com/reset-password#email=a%26b%40example.com&code=0M3KQ7B2XD91ZTRVH5NAC8WPG1\n',
    html: '<p>0M3KQ-7B2XD-91ZTR-VH5NA-C8WPG1 https://app.example.com/reset-password#email=a%26b%40example.com&#38;code=0M3KQ7B2XD91ZTRVH5NAC8WPG1</p>'
  })
  t.strictSame(write('password_changed', { to: 'a@example.com' }), {
    subject: 'Geändert bei app.example.com',
    text: 'Jetzt.'
  })
  t.match(write('verify_email', { to: 'a@example.com', code: newCode() }).subject, /^Confirm/, 'the others stay')
})

t.test('a folder of templates that would go wrong is refused by name', async (t) => {
  const faults: [files: Record<string, string>, fault: RegExp][] = [
    [{ 'reset.txt': 'x' }, /reset\.txt is no template; they are called verify_email, /],
    [{ 'reset_password.md': 'x' }, /reset_password\.md is no template/],
    [
      { 'reset_password.txt': 'x\n{{username}} {{code}}' },
      /reset_password\.txt has \{\{username\}\}; it can have \{\{code\}\}/
    ],
    [{ 'reset_password.txt': 'x\n{{link}}' }, /reset_password\.txt has no \{\{code\}\}/],
    [{ 'reset_password.html': '{{code}}' }, /reset_password\.html needs reset_password\.txt/],
    [{ 'password_changed.txt': 'x\n{{code}}' }, /password_changed\.txt has no code/]
  ]
  for (const [files, fault] of faults) t.match(faultOfTemplates(folder(files)), fault)
  t.match(faultOfTemplates('/nowhere'), /cannot be read \(ENOENT\)/)
  t.equal(faultOfTemplates(folder({})), undefined)
})
