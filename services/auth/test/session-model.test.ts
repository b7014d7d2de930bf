import fc from 'fast-check'
import t from 'tap'
import { disableUser, enableUser } from '../src/administration/actions.ts'
import { type Auth, type Person, startAuth } from './app.ts'
import { movedClock } from './moved-clock.ts'
import { type ModelToken, SessionModel } from './session-model.ts'
import { remember } from './sessions.ts'
import { claimsOf } from './tokens.ts'

// 11 s: two of them are within the reuse window of 30 s and three are not, with time to spare for a slow machine.
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('login' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      which: fc.nat(),
      newest: fc.boolean(),
      times: fc.integer({ min: 1, max: 4 })
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      seconds: fc.constantFrom(11, 45, 1000, 4000, 20 * 86_400)
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('logout' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('logout-everywhere' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('disable' as const, 'enable' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lose' as const), commands: fc.integer({ min: 1, max: 15 }) })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fail-over' as const),
      lost: fc.integer({ min: 1, max: 10 }),
      seconds: fc.constantFrom(0, 0, 11, 45, 4000),
      which: fc.nat()
    })
  }
)

type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

/** A token that was issued, as the client has it and as the model knows it. */
interface Issued {
  readonly model: ModelToken
  readonly refresh: string
  readonly access: string
}

const clock = await movedClock(t)
const env = { DATABASE_URL: clock.databaseUrl }
const instances = [await startAuth(t, { env, now: clock.now })]
const [{ keys }] = instances as [Auth]
instances.push(await startAuth(t, { env, now: clock.now, keys }))

let runs = 0

t.test(
  'two instances answer every refresh as the model says, whatever has happened before and whatever of it was lost',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
        runs += 1
        await run(commands, `model${runs}@example.com`)
      }),
      { numRuns: 40, endOnFailure: false }
    )
    t.pass(`${runs} histories`)
  }
)

async function run(commands: Command[], email: string): Promise<void> {
  let turn = 0
  const any = () => {
    turn += 1
    return instances[turn % instances.length] as Auth
  }
  const seconds = () => clock.now() / 1000
  const model = new SessionModel()
  const ada: Person = await any().person({ email })
  let { password } = ada
  const past: (() => Promise<void>)[] = []
  const issued: Issued[] = [{ model: model.open(seconds()), refresh: ada.refresh_token, access: ada.access_token }]
  const pick = (which: number, newest = false) => issued[newest ? issued.length - 1 : which % issued.length] as Issued

  async function note(known: ModelToken, body: { refresh_token: string; access_token: string }): Promise<void> {
    issued.push({ model: known, refresh: body.refresh_token, access: body.access_token })
  }

  /** Has database and model forget what comes after. */
  async function remembered(): Promise<() => Promise<void>> {
    const [kept, known, forget] = [model.keep(), password, await remember(any().database, ada.id)]
    return async () => {
      await forget()
      model.lose(kept)
      password = known
    }
  }

  const steps = {
    login: async () => {
      const { status, body } = await any().send('POST /login', { body: { email, password } })
      agree(status, model.enabled ? 200 : 403, 'login')
      if (status === 200) await note(model.open(seconds()), body)
    },
    refresh: async ({ which = 0, newest = false, times = 1 }) => {
      const token = pick(which, newest)
      const answers = await Promise.all(
        Array.from({ length: times }, () => any().send('POST /refresh-token', { token: token.refresh }))
      )
      const expected = answers.map(() => model.refresh(token.model, seconds()))
      for (const [i, { status, body }] of answers.entries()) {
        agree(status, expected[i] ? 200 : 401, `refresh of generation ${token.model.generation}`)
        if (!expected[i]) continue
        agree(Number(claimsOf(body.refresh_token)['generation']), expected[i].generation, 'generation')
        await note(expected[i], body)
      }
    },
    advance: ({ seconds: by = 0 }) => clock.advance(by),
    change: async ({ which = 0 }) => {
      const token = await fresh(which)
      if (!token) return
      const new_password = `${email} then ${turn}`
      const answer = await any().send('POST /change-password', {
        token: token.access,
        body: { current_password: password, new_password }
      })
      agree(answer.status, 200, 'change')
      password = new_password
      await note(model.revokeAll(seconds(), token.model) as ModelToken, answer.body)
    },
    logout: async ({ which = 0 }) => {
      const token = pick(which)
      agree((await any().send('POST /logout', { token: token.refresh })).status, 204, 'logout')
      model.logout(token.model)
    },
    'logout-everywhere': async ({ which = 0 }) => {
      const token = await fresh(which)
      if (!token) return
      agree((await any().send('POST /logout-everywhere', { token: token.access })).status, 204, 'logout-everywhere')
      model.revokeAll(seconds())
    },
    disable: async () => {
      await disableUser(any().operator, { id: ada.id })
      model.disable(seconds())
    },
    // The database loses what so many commands wrote.
    lose: async ({ commands = 1 }) => past.at(-commands)?.(),
    // It loses so many refreshes of one session; then its newest token is shown, and later any of the lost ones.
    'fail-over': async ({ lost = 1, seconds: by = 0, which = 0 }) => {
      const lose = await remembered()
      for (let i = 0; i < lost; i += 1) await steps.refresh({ newest: true })
      await lose()
      await clock.advance(by)
      const first = issued.length - 1 - (which % lost)
      await steps.refresh({ newest: true })
      await clock.advance(11)
      await steps.refresh({ which: Math.max(0, first) })
    },
    enable: async () => {
      await enableUser(any().operator, { id: ada.id })
      model.enable()
    },
    restart: async () => {
      const [old] = instances.splice(0, 1)
      instances.push(await startAuth(t, { env, now: clock.now, keys }))
      await old?.app.close()
    }
  }

  // An access token that is not older than its life, by way of a refresh of a token that still works.
  async function fresh(which: number): Promise<Issued | undefined> {
    const token = pick(which)
    if (!model.isAlive(token.model, seconds())) return undefined
    const before = issued.length
    await steps.refresh({ which })
    const [latest] = issued.slice(before)
    return latest && model.isAlive(latest.model, seconds()) ? latest : undefined
  }

  for (const { kind, ...details } of commands) {
    past.push(await remembered())
    await steps[kind](details)
  }
}

function agree(answer: number, expected: number, what: string): void {
  if (answer !== expected) throw new Error(`${what}: ${answer}, and the model says ${expected}`)
}
