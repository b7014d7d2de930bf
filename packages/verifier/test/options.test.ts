// The strangest values of every option: each is refused when the thing is made, with an error that names the option.
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { accessClaims, accessToken, makeKey } from '@latchkey/testing/tokens'
import Fastify from 'fastify'
import t from 'tap'
import accessTokens from '../src/fastify-named.ts'
import { authenticate } from '../src/http.ts'
import { createVerifier, type KeySetOptions, openKeySet, type VerifierOptions } from '../src/index.ts'

const issuer = 'https://auth.example.com'
const url = `${issuer}/.well-known/jwks.json`
const key = await makeKey()
const file = `${t.testdir({ 'jwks.json': JSON.stringify({ keys: [key.jwk] }) })}/jwks.json`
const keys = await openKeySet({ file })

const NO_TEXTS = [undefined, null, '', 5, true, [], ['latchkey'], {}, new Date(), Symbol('s'), () => 'latchkey', 5n]
const NO_NUMBERS = [
  null,
  Number.NaN,
  -1,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  '5',
  '',
  true,
  [],
  [5],
  {}
]
const NO_LENGTHS = [...NO_NUMBERS, new Date(), Symbol('s'), 5n, 1e300]
const NO_FUNCTIONS = [null, true, 'now', 5, {}, [], Symbol('s')]

/** By the option: what it may not be, and how the error begins. */
const OF_VERIFIER: Record<string, readonly [values: readonly unknown[], message: RegExp]> = {
  issuer: [NO_TEXTS, /^issuer must be a text that is not empty\.$/],
  audience: [NO_TEXTS, /^audience must be a text that is not empty\.$/],
  keys: [
    [
      undefined,
      null,
      true,
      'keys',
      {},
      [],
      openKeySet({ file }),
      { find: async () => undefined },
      { held: 1, find: 2 }
    ],
    /^keys must be a key source: what openKeySet opened, awaited\.$/
  ],
  leeway: [[...NO_LENGTHS, 301], /^leeway must be a number from 0 to 300\.$/],
  maxVerdicts: [NO_LENGTHS, /^maxVerdicts must be a number from 0 to 10000000\.$/],
  maxSubjects: [NO_LENGTHS, /^maxSubjects must be a number from 0 to 10000000\.$/],
  verdictAge: [NO_LENGTHS, /^verdictAge must be a number from 0 to 31536000\.$/],
  trusted: [NO_FUNCTIONS, /^trusted must be a function\.$/],
  now: [NO_FUNCTIONS, /^now must be a function\.$/]
}

for (const [option, [values, message]] of Object.entries(OF_VERIFIER)) {
  t.test(`createVerifier takes no ${option} that is none`, async (t) => {
    for (const value of values) {
      const options = { issuer, audience: 'latchkey', keys, [option]: value } as unknown as VerifierOptions
      t.throws(() => createVerifier(options), { name: 'TypeError', message }, typeof value)
    }
  })
}

t.test('a verifier does not take the issuer for its audience: such tokens open administration', async (t) => {
  const message = /^audience must not be the issuer: tokens for the issuer alone open its administration/
  t.throws(() => createVerifier({ issuer, audience: issuer, keys }), { name: 'TypeError', message })
})

t.test('a clock that tells no number lets no token through, neither a new one nor one that was good', async (t) => {
  let time: unknown = Date.now()
  const verifier = createVerifier({ issuer, audience: 'latchkey', keys, now: () => time as number })
  const token = accessToken(key, accessClaims(issuer, 'latchkey', Math.floor(Date.now() / 1000)))
  t.match(await verifier.verify(token), { iss: issuer })
  for (time of [Number.NaN, undefined, null, '5', new Date(), Number.POSITIVE_INFINITY]) {
    await t.rejects(verifier.verify(token), { name: 'TypeError', message: /^now must return a number/ })
    t.throws(() => verifier.recall(token), { name: 'TypeError', message: /^now must return a number/ })
  }
})

t.test('createVerifier and openKeySet say that they want options', async (t) => {
  for (const value of [undefined, null, 'https://auth.example.com', 5, Symbol('s'), []]) {
    const options = value as unknown as VerifierOptions & KeySetOptions
    t.throws(() => createVerifier(options), { name: 'TypeError', message: /^options must be an object\.$/ })
    await t.rejects(openKeySet(options), { name: 'TypeError', message: /^options must be an object\.$/ })
  }
})

t.test('a getter is asked for its option once', async (t) => {
  let asked = 0
  const options = {
    issuer,
    keys,
    get audience() {
      asked += 1
      return asked === 1 ? 'latchkey' : issuer
    }
  }
  createVerifier(options)
  t.equal(asked, 1)
})

const ABSOLUTE = /^url must be an absolute URL, as in https:\/\/auth\.example\.com\/\.well-known\/jwks\.json\.$/

const OF_KEY_SET: Record<string, readonly [values: readonly unknown[], message: RegExp]> = {
  url: [[null, '', 5, true, [], [url], {}, new URL(url), new Date(), Symbol('s')], /^url must be a text/],
  'url ': [['auth.example.com/jwks.json', '/jwks.json', 'https://', 'https://a b/', 'http://a:99999/'], ABSOLUTE],
  ' url': [['file:///etc/passwd', 'data:,{}', 'ftp://a/b', 'javascript:1'], /^url must be https: or http:\.$/],
  file: [NO_TEXTS.slice(1), /^file must be a text that is not empty\.$/],
  cacheFile: [NO_TEXTS.slice(1), /^cacheFile must be a text that is not empty\.$/],
  timeout: [[...NO_LENGTHS, 0], /^timeout must be a number from 0\.001 to 3600\.$/],
  minAge: [[...NO_LENGTHS, 0], /^minAge must be a number from 1 to 31536000\.$/],
  maxAge: [[...NO_LENGTHS, 0.5], /^maxAge must be a number from 1 to 31536000\.$/],
  staleAge: [[...NO_LENGTHS, 0], /^staleAge must be a number from 1 to 31536000\.$/],
  cooldown: [NO_LENGTHS, /^cooldown must be a number from 0 to 3600\.$/],
  log: [[null, true, () => {}, {}, { info: () => {} }], /^log must have the functions info and warn\.$/],
  fetch: [NO_FUNCTIONS, /^fetch must be a function\.$/]
}

for (const [option, [values, message]] of Object.entries(OF_KEY_SET)) {
  t.test(`openKeySet takes no ${option.trim()} that is none (${message.source})`, async (t) => {
    for (const value of values) {
      const options = { url, [option.trim()]: value } as unknown as KeySetOptions
      await t.rejects(openKeySet(options), { name: 'TypeError', message }, typeof value)
    }
  })
}

t.test('what is wrong with a URL is told without the URL', async (t) => {
  const error = await openKeySet({ url: 'https://ada:hush@:99999/?token=hush' }).catch((error) => error)
  t.match(error, { name: 'TypeError', message: ABSOLUTE })
  t.notMatch(JSON.stringify({ ...error, stack: error.stack, cause: error.cause }), 'hush')
})

t.test('a file alone is checked as one beside a URL is', async (t) => {
  for (const value of [undefined, '', 5, Symbol('s'), [file]]) {
    await t.rejects(openKeySet({ file: value } as unknown as KeySetOptions), {
      name: 'TypeError',
      message: /^file must/
    })
  }
  const log = { info: true } as unknown as NonNullable<KeySetOptions['log']>
  await t.rejects(openKeySet({ file, log }), { name: 'TypeError', message: /^log must/ })
})

const NO_VERIFIERS = [undefined, null, {}, createVerifier, 'verifier', { verify: true, recall: true }]
const NO_VERIFIER = { name: 'TypeError', message: /^verifier must be what createVerifier made\.$/ }

t.test('the guards want a verifier', async (t) => {
  for (const verifier of NO_VERIFIERS) {
    const options = { verifier } as unknown as Parameters<typeof accessTokens>[1]
    const register = async () => void (await Fastify().register(accessTokens, options))
    await t.rejects(register(), NO_VERIFIER)
    const request = new IncomingMessage(new Socket())
    await t.rejects(authenticate(options.verifier, request), NO_VERIFIER)
  }
})

t.test('the plugin takes no name that Fastify itself has', async (t) => {
  const verifier = createVerifier({ issuer, audience: 'latchkey', keys })
  for (const property of ['raw', 'id', 'log', 'headers', 'body', 'server', '__proto__', 'constructor', 'toString']) {
    const register = async () => void (await Fastify().register(accessTokens, { verifier, property }))
    await t.rejects(register(), { message: new RegExp(`^request\\.${property} is another plugin's`) })
  }
  for (const hook of ['listen', 'server', 'then', '__proto__', 'constructor']) {
    const register = async () => void (await Fastify().register(accessTokens, { verifier, hook }))
    await t.rejects(register(), { message: new RegExp(`^app\\.${hook} is another plugin's`) })
  }
  for (const name of [Symbol('s'), [], 5, null, '']) {
    for (const option of ['property', 'hook']) {
      const register = async () => void (await Fastify().register(accessTokens, { verifier, [option]: name } as never))
      await t.rejects(register(), { name: 'TypeError', message: new RegExp(`^${option} must be a text`) })
    }
  }
})
