import { randomBytes, randomUUID } from 'node:crypto'
import type { RefreshClaims } from '@latchkey/tokens/claims'
import t from 'tap'
import { customKey } from '../src/sessions/custom-key.ts'
import { decide, type RotationSettings, type SessionState } from '../src/sessions/refresh-rule.ts'

const NOW = 1_800_000_000
const HOUR = 3600
const [sub, sid, token_hash] = [randomUUID(), randomUUID(), randomBytes(32)]

/** Superseded 5, 25, 35 and 45 s ago, the latest first; the current generation is the tenth. */
const STATE: SessionState = { alive: true, token_hash, generation: 10, superseded_ago: [5, 25, 35, 45], now: NOW }

const shown = (generation: number, iat = NOW - 60): RefreshClaims => ({
  iss: 'https://auth.example.com',
  aud: 'https://auth.example.com',
  sub,
  iat,
  exp: NOW + 86_400,
  jti: `${sid}.${generation}`,
  token_use: 'refresh',
  sid,
  generation,
  custom_key: customKey(token_hash, sub)
})

type Row = [what: string, state: Partial<SessionState>, token: RefreshClaims, on: string, off: string]

const stale: RefreshClaims = { ...shown(10), custom_key: customKey(randomBytes(32), sub) }
const TABLE: Row[] = [
  ['the current generation', {}, shown(10), 'next', 'same'],
  ['one superseded within the window', {}, shown(9), 'again', 'again'],
  ['another one, however many followed', {}, shown(8), 'again', 'again'],
  ['one superseded longer ago', {}, shown(7), 'theft', 'dead'],
  ['one whose time is no longer known', {}, shown(5), 'theft', 'dead'],
  ['one from the beginning', {}, shown(0), 'theft', 'dead'],
  ['one superseded as long ago as the window is', { superseded_ago: [30] }, shown(9), 'theft', 'dead'],
  ['one ahead', {}, shown(11), 'forward', 'forward'],
  ['eight ahead', {}, shown(18), 'forward', 'forward'],
  ['nine ahead', {}, shown(19), 'ahead', 'ahead'],
  ['far ahead', {}, shown(Number.MAX_SAFE_INTEGER), 'ahead', 'ahead'],
  ['ahead, issued an hour ago', {}, shown(11, NOW - HOUR), 'forward', 'forward'],
  ['ahead, issued longer ago', {}, shown(11, NOW - HOUR - 1), 'ahead', 'ahead'],
  ['ahead, by a clock that was ahead too', {}, shown(11, NOW + 4), 'forward', 'forward'],
  ['the current one of an ended session', { alive: false }, shown(10), 'dead', 'dead'],
  ['an old one of an ended session', { alive: false }, shown(0), 'dead', 'dead'],
  ['one ahead of an ended session', { alive: false }, shown(11), 'dead', 'dead'],
  ['a stale custom key', {}, stale, 'dead', 'dead'],
  ['a stale custom key, superseded long ago', {}, { ...stale, generation: 0 }, 'dead', 'dead'],
  ['a stale custom key, ahead', {}, { ...stale, generation: 11 }, 'dead', 'dead']
]

t.test('each generation that is shown has the verdict of the table in ARCHITECTURE.md', async (t) => {
  for (const [what, state, token, on, off] of TABLE) {
    for (const [rotation, expected] of [
      [true, on],
      [false, off]
    ] as const) {
      const settings: RotationSettings = { rotation, reuseWindow: 30 }
      t.equal(decide({ ...STATE, ...state }, token, settings), expected, `${what}, rotation ${rotation}`)
    }
  }
})

t.test('without a window every superseded token is theft, and a token ahead is good once', async (t) => {
  const strict: RotationSettings = { rotation: true, reuseWindow: 0 }
  t.equal(decide({ ...STATE, superseded_ago: [0] }, shown(9), strict), 'theft')
  t.equal(decide(STATE, shown(12), strict), 'forward')
  t.equal(decide({ ...STATE, generation: 13, superseded_ago: [0, 0, 0] }, shown(12), strict), 'theft')
})
