import { join } from 'node:path'
import { mock } from 'node:test'
import FakeTimers from '@sinonjs/fake-timers'
import t from 'tap'
import { accessClaims, accessToken, makeKey } from '../../testing/src/tokens.ts'
import { createVerifier, openKeySet, type Verifier } from '../src/index.ts'

// Others test their services under a clock of theirs, put in the place of the real one when we are imported already.

const ISSUER = 'https://auth.example.com'
const [first, second] = await Promise.all([makeKey(), makeKey()])
const LATER = Date.UTC(2040, 0)

/** A clock that took the place of the real one. */
interface Clock {
  pass(seconds: number): Promise<void>
  end(): void
}

/** Puts a clock in the place of the real one: it says 2040, and stands until it is moved. */
const CLOCKS: Record<string, () => Clock> = {
  // What Sinon, Vitest and Jest stand on. Node's own streams need these two to be real, so Vitest leaves them.
  '@sinonjs/fake-timers': () => {
    const clock = FakeTimers.install({ now: LATER, toNotFake: ['nextTick', 'queueMicrotask'] })
    return { pass: (seconds) => clock.tickAsync(seconds * 1000).then(() => {}), end: () => clock.uninstall() }
  },
  'node:test': () => {
    mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: LATER })
    const { setImmediate } = globalThis
    return {
      pass: async (seconds) => {
        mock.timers.tick(seconds * 1000)
        for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      },
      end: () => mock.timers.reset()
    }
  }
}

const goodAt = (milliseconds: number, key = first) =>
  accessToken(key, accessClaims(ISSUER, 'latchkey', Math.floor(milliseconds / 1000)))

const verdict = (verifier: Verifier, token: string) =>
  verifier.verify(token).then(
    () => 'accepted',
    (error) => error.code
  )

/** A verifier, and the keys that its issuer publishes. */
async function scene(): Promise<{ verifier: Verifier; published: object[]; asked: () => number; close: () => void }> {
  const published: object[] = [first.jwk]
  let asked = 0
  const fetch = async () => {
    asked += 1
    return Response.json({ keys: published })
  }
  const keys = await openKeySet({ url: `${ISSUER}/jwks.json`, fetch })
  const verifier = createVerifier({ issuer: ISSUER, audience: 'latchkey', keys })
  return { verifier, published, asked: () => asked, close: () => keys.close() }
}

/** Runs a part of a test under such a clock, and takes it away before the test ends: tap needs the real one. */
async function under(install: () => Clock, run: (clock: Clock) => Promise<void>): Promise<void> {
  const clock = install()
  try {
    await run(clock)
  } finally {
    clock.end()
  }
}

t.test('where a clock of others takes all that tells time, a key set of a file and its verifier go on', async (t) => {
  const file = join(t.testdir({ 'jwks.json': JSON.stringify({ keys: [first.jwk] }) }), 'jwks.json')
  const keys = await openKeySet({ file })
  const verifier = createVerifier({ issuer: ISSUER, audience: 'latchkey', keys })
  const install = () => {
    const clock = FakeTimers.install({ now: LATER })
    return { pass: async (seconds: number) => void clock.tick(seconds * 1000), end: () => clock.uninstall() }
  }
  const said: string[] = []
  await under(install, async (clock) => {
    said.push(await verdict(verifier, goodAt(LATER)))
    await clock.pass(905)
    said.push(await verdict(verifier, goodAt(LATER)))
  })
  t.same(said, ['accepted', 'token_expired'])
})

for (const [name, install] of Object.entries(CLOCKS)) {
  t.test(`under the clock of ${name} a token ends when that clock says so, and signatures need no tick`, async (t) => {
    await under(install, async (clock) => {
      const { verifier, close } = await scene()
      const token = goodAt(LATER)
      t.equal(await verdict(verifier, token), 'accepted')
      await clock.pass(299)
      t.match(verifier.recall(token), { sub: /./ }, 'the verdict is remembered')
      await clock.pass(605)
      t.equal(await verdict(verifier, token), 'accepted', 'within the leeway')
      await clock.pass(1)
      t.equal(await verdict(verifier, token), 'token_expired')
      close()
    })
  })

  t.test(`a verifier made before the clock of ${name} goes by it too, and after its end by the real one`, async (t) => {
    const { verifier, close } = await scene()
    t.teardown(close)
    const token = goodAt(Date.now())
    t.equal(await verdict(verifier, token), 'accepted')
    await under(install, async () => {
      t.equal(verifier.recall(token), undefined, 'it ended years ago')
      t.equal(await verdict(verifier, goodAt(LATER)), 'unavailable', 'so was the set fetched')
    })
    t.equal(await verdict(verifier, goodAt(LATER)), 'invalid_token', 'it is of the future')
    t.equal(await verdict(verifier, token), 'accepted')
  })

  t.test(`the clock of ${name} moves the key set: it is fetched again, and a request that waits goes on`, async (t) => {
    await under(install, async (clock) => {
      const { verifier, published, asked, close } = await scene()
      t.equal(await verdict(verifier, goodAt(LATER)), 'accepted')
      published.push(second.jwk)
      let said = 'waiting'
      const waiting = verdict(verifier, goodAt(LATER, second)).then((is) => {
        said = is
      })
      await clock.pass(4.5)
      t.same([said, asked()], ['waiting', 1])
      await clock.pass(0.5)
      await waiting
      t.same([said, asked()], ['accepted', 2])
      await clock.pass(600)
      t.equal(asked(), 3, 'by the timer')
      close()
    })
  })
}
