import { readFileSync } from 'node:fs'
import path from 'node:path'
import { addressOf } from './address.mjs'
import { root } from './command.mjs'
import { hasSetting, managementPort } from './environment.mjs'
import { firstSignup } from './first-signup.mjs'

/** @typedef {ReturnType<typeof import('./environment.mjs').readSettings>} Settings */
/**
 * @typedef {object} Place
 * @property {string} keys the folder
 * @property {string[] | undefined} folders with the data; undefined: the database is not ours
 * @property {readonly import('./environment.mjs').ServiceName[]} names of the services that run
 * @property {string} after how long it took, such as `3.9 s`
 */

/** Where the second column begins. */
const INDENT = 12

/** From this width on, the addresses of the documentation have a column. */
const WIDE = 72

/**
 * What npm start says when all can serve: addresses, what is on and off, where things lie, and what to do next.
 *
 * @param {Settings} settings
 * @param {Place} place
 * @param {Pick<import('./screen.mjs').Screen, 'paint' | 'columns'>} screen
 */
export function announcement(settings, { keys, folders, names, after }, { paint, columns }) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const row = (/** @type {string} */ name, /** @type {string | string[]} */ text) =>
    `  ${paint('dim', name.padEnd(INDENT - 2))}${wrapped(text, columns() - INDENT).join(`\n${' '.repeat(INDENT)}`)}`
  const metrics = names
    .map((name) => managementPort(settings, settings[`${name.toUpperCase()}_PORT`] ?? ''))
    .filter((port) => port !== undefined)
    .map((port) => `${addressOf(settings['MANAGEMENT_HOST'] ?? '127.0.0.1', port)}/metrics`)
  const { on, off } = switches(settings, names)
  return [
    '',
    `  ${paint('bold', `Latchkey ${version} is ready`)} ${paint('dim', `after ${after}`)}`,
    '',
    ...addresses(settings, names, { paint, columns }),
    ...(metrics.length > 0 ? [row('metrics', metrics)] : []),
    '',
    row('on', on.join(', ')),
    row('off', `${off.join(', ')}; set them in .env`),
    row('data', dataOf(folders)),
    row('keys', `${shorten([keys])} (not part of the data)`),
    row('mail', mailOf(settings)),
    '',
    ...firstSteps(settings),
    '',
    '  Ctrl-C stops all of it.',
    ''
  ].join('\n')
}

/**
 * @param {Settings} settings
 * @param {readonly import('./environment.mjs').ServiceName[]} names
 * @param {Pick<import('./screen.mjs').Screen, 'paint' | 'columns'>} screen
 */
function addresses(settings, names, { paint, columns }) {
  const isWide = columns() >= WIDE
  const urls = names.map((name) => addressOf(settings.HOST, settings[`${name.toUpperCase()}_PORT`] ?? ''))
  const width = Math.max(...urls.map((url) => url.length)) + 3
  const lines = names.map((name, index) => {
    const url = urls[index] ?? ''
    const docs = isWide ? `${' '.repeat(width - url.length)}${paint('cyan', `${url}/docs`)}` : ''
    return `  ${name.padEnd(INDENT - 2)}${paint('cyan', url)}${docs}`
  })
  return isWide ? lines : [...lines, `${' '.repeat(INDENT)}${paint('dim', 'each with /docs')}`]
}

/**
 * What is on, and what is off with the setting that would change it.
 *
 * @param {Settings} settings
 * @param {readonly import('./environment.mjs').ServiceName[]} names
 */
function switches(settings, names) {
  const signup = settings['SIGNUP'] ?? 'open'
  const feed = settings['REVOCATION_FEED'] ?? 'off'
  /** @type {[boolean, string, string][]} whether it is on, what to say then, and else */
  const all = [
    [signup === 'open', 'sign-up for everybody', `sign-up (SIGNUP=${signup})`],
    [
      settings['REQUIRE_VERIFIED_EMAIL'] === 'on',
      'only proven addresses',
      'proof of addresses (REQUIRE_VERIFIED_EMAIL)'
    ],
    [feed !== 'off', `revocation feed (${feed})`, 'revocation feed (REVOCATION_FEED)'],
    [true, cookies(settings), ''],
    [names.includes('chat'), 'chat', 'chat (CHAT)'],
    [hasSetting(settings, 'REDIS_URL'), 'limits in Redis', 'Redis (REDIS_URL)'],
    [hasSetting(settings, 'SMTP_URL'), 'mail by SMTP', 'a mail server (SMTP_URL)']
  ]
  return {
    on: all.filter(([is]) => is).map(([, text]) => text),
    off: all.filter(([is]) => !is).map(([, , text]) => text)
  }
}

/** @param {Settings} settings */
const cookies = (settings) => (settings['COOKIE_DOMAIN'] ? `cookies for ${settings['COOKIE_DOMAIN']}` : 'cookies')

/**
 * @param {string[] | undefined} folders
 * @returns {string | string[]}
 */
function dataOf(folders) {
  if (!folders) return 'in the database of DATABASE_URL'
  const outer = shorten(folders)
  const wipe = outer.join(' ')
  const moved =
    outer.length > 1 ? 'partly elsewhere, because the database’s user cannot enter this folder'.split(' ') : []
  // The command is to be pasted, so it stays in one piece.
  return [wipe, '(to begin anew, stop and:', `rm -rf ${wipe})`, ...moved]
}

/**
 * Where mails go.
 *
 * @param {Settings} settings
 */
function mailOf(settings) {
  if (hasSetting(settings, 'SMTP_URL')) return 'by the mail server of SMTP_URL'
  const folder = path.resolve(root, settings.DATA_DIR, 'mail')
  return settings.NODE_ENV === 'development'
    ? `${shorten([folder])}/ (an .eml file for each, which the log names)`
    : 'off: set SMTP_URL'
}

/** @param {Settings} settings */
function firstSteps(settings) {
  const admin = '  npm run admin -- grant admin $email'
  if ((settings['SIGNUP'] ?? 'open') !== 'open')
    return [
      '  In another terminal, the first account, whose code is mailed, and its rights as an administrator:',
      '',
      '  email=ada@example.com; npm run admin -- invite $email',
      admin
    ]
  return [
    '  In another terminal, the first account and its rights as an administrator:',
    firstSignup(addressOf(settings.HOST, settings.AUTH_PORT)).replaceAll(/^/gm, '  '),
    admin
  ]
}

/**
 * The folders, relative to the repository, without those that are inside another one of them.
 *
 * @param {string[]} folders
 */
function shorten(folders) {
  const outer = folders.filter((folder) => !folders.some((other) => folder.startsWith(other + path.sep)))
  return outer.map((folder) => (folder.startsWith(root) ? path.relative(root, folder) : folder))
}

/**
 * Breaks a text into lines of at most so many characters, at spaces; a longer word keeps its own line.
 *
 * @param {string | string[]} text or its words, which may have spaces
 * @param {number} width
 * @returns {string[]}
 */
function wrapped(text, width) {
  /** @type {string[]} */
  const lines = []
  for (const word of typeof text === 'string' ? text.split(' ') : text) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
