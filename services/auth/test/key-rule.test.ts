import t from 'tap'
import { judgeKeys, type KeyTimes, keyRules } from '../src/keys/rule.ts'

const LEAD = 100
const LIFE = 1000
const RULES = { publishedBefore: LEAD, acceptedAfter: LIFE + LEAD }
const NOW = 10_000

interface Slot {
  readonly kid: string
  readonly slot: string
}

/** The state of a key, as in `'current seen 99, signs 50'`: how many seconds ago. */
function state(keys: Record<string, string>): [Slot[], KeyTimes[]] {
  const slots: Slot[] = []
  const times: KeyTimes[] = []
  for (const [kid, text] of Object.entries(keys)) {
    const ago = (word: string) => {
      const [, seconds] = new RegExp(`${word} (\\d+)`).exec(text) ?? []
      return seconds === undefined ? null : NOW - Number(seconds)
    }
    const slot = /^(current|next|previous)/.exec(text)?.[0]
    if (slot) slots.push({ kid, slot: slot === 'previous' ? `previous-${kid}` : slot })
    const seen = ago('seen')
    if (seen !== null)
      times.push({ kid, first_seen_at: seen, signs_from: ago('signs'), revoked: text.includes('revoked') })
  }
  return [slots, times]
}

const OLD = 5000

// The table of ARCHITECTURE.md: what there is → which key signs, and which are published.
const TABLE: Record<string, { keys: Record<string, string>; signs: string | undefined; published: string }> = {
  'nobody has signed: current, at once': {
    keys: { A: 'current seen 0', B: 'next seen 0' },
    signs: 'A',
    published: 'A B'
  },
  'current has been published for KEY_LEAD': {
    keys: { A: `previous seen ${OLD} signs ${OLD}`, B: `current seen ${LEAD}`, C: 'next seen 0' },
    signs: 'B',
    published: 'A B C'
  },
  'current is too young: the key before it': {
    keys: { A: `previous seen ${OLD} signs ${OLD}`, B: `current seen ${LEAD - 1}`, C: 'next seen 0' },
    signs: 'A',
    published: 'A B C'
  },
  'two rotations at once: still the key that signed': {
    keys: { A: `previous seen ${OLD} signs ${OLD}`, B: 'previous seen 9', C: 'current seen 0', D: 'next seen 0' },
    signs: 'A',
    published: 'A B C D'
  },
  'current is revoked: next, at once': {
    keys: { A: `current seen ${OLD} signs 9 revoked`, B: 'next seen 0', C: `previous seen ${OLD} signs ${OLD}` },
    signs: 'B',
    published: 'B C'
  },
  'current was revoked and replaced: its successor, at once': {
    keys: {
      A: `seen ${OLD} signs 9 revoked`,
      B: 'current seen 0',
      C: 'next seen 0',
      Z: `previous seen ${OLD} signs 99`
    },
    signs: 'B',
    published: 'B C Z'
  },
  'current was revoked before it signed: the key that signs goes on': {
    keys: { A: `previous seen ${OLD} signs ${OLD}`, B: 'current seen 0 revoked', C: 'next seen 0' },
    signs: 'A',
    published: 'A C'
  },
  'current and next are revoked: a previous key': {
    keys: { A: `previous seen ${OLD} signs 99`, B: 'current seen 99 signs 9 revoked', C: 'next seen 9 revoked' },
    signs: 'A',
    published: 'A'
  },
  'all are revoked: none': {
    keys: { A: `current seen ${OLD} signs 9 revoked`, B: 'next seen 9 revoked' },
    signs: undefined,
    published: ''
  },
  'another signs for as long as tokens live: retired': {
    keys: {
      A: `previous seen ${OLD} signs ${OLD}`,
      B: `current seen ${OLD} signs ${LIFE + LEAD + 1}`,
      C: 'next seen 0'
    },
    signs: 'B',
    published: 'B C'
  },
  'not a second before': {
    keys: { A: `previous seen ${OLD} signs ${OLD}`, B: `current seen ${OLD} signs ${LIFE + LEAD}`, C: 'next seen 0' },
    signs: 'B',
    published: 'A B C'
  },
  'a previous key that never signed is retired after those that came later': {
    keys: { A: `previous seen ${OLD}`, B: `current seen ${OLD - 1} signs ${LIFE + LEAD + 1}` },
    signs: 'B',
    published: 'B'
  },
  'next waits as long as it must': {
    keys: { A: `current seen ${OLD} signs ${OLD - 1}`, B: `next seen ${OLD}` },
    signs: 'A',
    published: 'A B'
  },
  'an old folder is put back: its current signs again': {
    keys: { A: `current seen ${OLD} signs ${OLD}`, B: `previous seen ${OLD} signs 9` },
    signs: 'A',
    published: 'A B'
  },
  'the key that signs is in another folder: current': {
    keys: { A: 'current seen 0', B: 'next seen 0', X: `seen ${OLD} signs ${OLD}` },
    signs: 'A',
    published: 'A B'
  }
}

for (const [name, { keys, signs, published }] of Object.entries(TABLE)) {
  t.test(name, async (t) => {
    const verdict = judgeKeys(...state(keys), { ...RULES, now: NOW })
    t.equal(verdict.signing?.kid, signs)
    t.equal(verdict.published.map(({ kid }) => kid).join(' '), published)
    const all = [...verdict.published, ...verdict.retired, ...verdict.revoked]
    t.same(
      all.map(({ kid }) => kid).sort(),
      state(keys)[0]
        .map(({ kid }) => kid)
        .sort(),
      'each key is in one list'
    )
  })
}

t.test('a key begins to sign when another has signed last', async (t) => {
  const begins = (keys: Record<string, string>) => judgeKeys(...state(keys), { ...RULES, now: NOW }).begins
  t.equal(begins({ A: 'current seen 0' }), true)
  t.equal(begins({ A: 'current seen 9 signs 9' }), false)
  t.equal(begins({ A: `current seen ${LEAD} signs 9`, B: 'previous seen 999 signs 8' }), true, 'also again')
  t.equal(begins({ A: 'current seen 9 signs 9 revoked' }), false)
})

t.test('the settings say how long a key is kept: the longest life of its tokens, and some more', async (t) => {
  const config = {
    ACCESS_TOKEN_TTL: 900,
    REFRESH_TOKEN_TTL: 2000,
    SESSION_MAX_AGE: 9000,
    CLOCK_LEEWAY: 5,
    KEY_LEAD: 60
  }
  t.same(keyRules({ ...config, REFRESH_TOKEN_ROTATION: 'on' }), {
    access: { publishedBefore: 60, acceptedAfter: 965 },
    refresh: { publishedBefore: 60, acceptedAfter: 2065 }
  })
  t.equal(keyRules({ ...config, REFRESH_TOKEN_ROTATION: 'off' }).refresh.acceptedAfter, 9065)
})
