import fc from 'fast-check'
import t from 'tap'
import { beginners, foundKeys, isUpToDate, judge, type Seen } from '../src/keys/judgement.ts'
import type { KeyTimes } from '../src/keys/rule.ts'

const LEAD = 100
const LIFE = 1000
const RULE = { publishedBefore: LEAD, acceptedAfter: LIFE + LEAD }
const RULES = { access: RULE, refresh: RULE }

/** Longest time between two polls of an instance. */
const INTERVAL = 10

interface Slot {
  readonly kid: string
  readonly slot: string
}

const MOVED: Record<string, string> = { next: 'current', current: 'previous-' }

/** Several instances, each over a copy of one folder, and what their database knows of the keys. */
class Deployment {
  now = 0
  made = 2
  folder: readonly Slot[] = [
    { kid: 'K0', slot: 'current' },
    { kid: 'K1', slot: 'next' }
  ]
  readonly copies = [this.folder, this.folder, this.folder]
  readonly times: KeyTimes[] = []
  readonly lastSigned = new Map<string, number>()

  rotate(): void {
    const moved = this.folder.map(({ kid, slot }) => ({ kid, slot: MOVED[slot] ?? slot }))
    this.folder = [...moved, { kid: `K${this.made}`, slot: 'next' }]
    this.made += 1
  }

  revoke(): void {
    const current = this.folder.find(({ slot }) => slot === 'current')
    this.note(current?.kid, { revoked: true })
  }

  wait(seconds: number): void {
    for (const end = this.now + seconds; this.now < end; ) {
      this.now = Math.min(end, this.now + INTERVAL)
      for (const copy of this.copies) this.poll(copy)
    }
  }

  /** What live keys do, with a list in the place of the database. */
  poll(copy: readonly Slot[]): void {
    const seen = { slots: { access: copy, refresh: [] }, revoked: new Map() }
    if (!isUpToDate(seen, this.register, RULES)) this.record(seen)
    const { signing, published } = judge(seen, this.register, RULES).access
    if (signing) {
      this.checkSigning(signing, published)
      this.lastSigned.set(signing.kid, this.now)
    }
    this.checkAccepted(copy, published)
  }

  private get register() {
    return { now: this.now, keys: this.times.map((key) => ({ ...key, kind: 'access' as const })) }
  }

  private record(seen: Seen<Slot>): void {
    for (const { kid } of foundKeys(seen)) {
      if (!this.timesOf(kid)) this.times.push({ kid, first_seen_at: this.now, signs_from: null, revoked: false })
    }
    for (const kid of beginners(seen, this.register, RULES)) this.note(kid, { signs_from: this.now })
  }

  private checkSigning(signing: Slot, published: readonly Slot[]): void {
    const { kid, first_seen_at, signs_from, revoked } = this.timesOf(signing.kid) as KeyTimes
    if (revoked) throw new Error(`${kid} is revoked and signs`)
    if (!published.includes(signing)) throw new Error(`${kid} signs and is not published`)
    const [last] = this.times.filter((key) => key.signs_from !== null).sort(latestFirst)
    // A folder without any key that has signed has nothing better.
    const isWithoutSigner = published.every((key) => this.timesOf(key.kid)?.signs_from === null)
    const isExcused = signs_from !== null || isWithoutSigner || last?.revoked
    const age = this.now - first_seen_at
    if (age < LEAD && !isExcused) throw new Error(`${kid} signs ${age} s after it was published`)
  }

  private checkAccepted(copy: readonly Slot[], published: readonly Slot[]): void {
    for (const key of copy) {
      const isAlive = this.now < (this.lastSigned.get(key.kid) ?? -LIFE) + LIFE
      if (isAlive && !this.timesOf(key.kid)?.revoked && !published.includes(key))
        throw new Error(`${key.kid} is refused while its tokens live`)
    }
  }

  private timesOf(kid: string): KeyTimes | undefined {
    return this.times.find((key) => key.kid === kid)
  }

  private note(kid: string | undefined, change: Partial<KeyTimes>): void {
    const row = this.times.find((key) => key.kid === kid)
    if (row) Object.assign(row, change)
  }
}

const latestFirst = (a: KeyTimes, b: KeyTimes) => Number(b.signs_from) - Number(a.signs_from)

const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('wait' as const), for: fc.integer({ min: 1, max: LEAD }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constantFrom('copy' as const, 'poll' as const), at: fc.nat({ max: 2 }) })
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('rotate' as const, 'revoke' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('wait' as const), for: fc.integer({ min: LIFE, max: 2 * LIFE }) })
  }
)

t.test(
  'whatever the order of copies: no key signs before all can know it, and none is refused while its tokens live',
  async () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 40 }), (steps) => {
        const deployment = new Deployment()
        for (const step of steps) {
          if (step.what === 'wait') deployment.wait(step.for)
          else if (step.what === 'poll') deployment.poll(deployment.copies[step.at] ?? [])
          else if (step.what === 'copy') deployment.copies[step.at] = deployment.folder
          else deployment[step.what]()
        }
      }),
      { numRuns: 300 }
    )
  }
)
