import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import type { Test } from 'tap'
import { type History, type Operation, succeeded } from './history.ts'

/** What the answers that a person got say of the account. */
interface Person {
  readonly email: string
  /** Those that may be right: two, when a change was not acknowledged. */
  passwords: string[]
  /** The refresh tokens that an acknowledged change or logout has ended. */
  readonly ended: string[]
}

/** A load of people, each of whom signs up, logs in, refreshes, changes the password and logs out, again and again. */
export interface Load {
  /** Ends it and returns when the last answer is in. */
  stop(): Promise<void>
  /** What was acknowledged is there, and nothing is half done; call it when the service is well. */
  check(t: Test): Promise<void>
}

/** Starts so many loops of people; all of their requests are in the history. */
export function startPeople(t: Test, { send }: History, loops = 4): Load {
  const people: Person[] = []
  // Nobody is of another load.
  const family = randomUUID()
  let [over, count] = [false, 0]

  async function live(): Promise<void> {
    count += 1
    const [email, first, second] = [
      `person${count}@${family}.example`,
      `first harbour ${count}`,
      `second harbour ${count}`
    ]
    if (!succeeded(await send('POST /signup', { body: { email, username: 'Person', password: first } }))) return
    const person: Person = { email, passwords: [first], ended: [] }
    people.push(person)
    const login = await send('POST /login', { body: { email, password: first } })
    if (!succeeded(login)) return
    const refreshed = await send('POST /refresh-token', { token: login.body['refresh_token'] })
    const tokens = succeeded(refreshed) ? refreshed.body : login.body
    const changed = await change(person, second, tokens['access_token'])
    if (!succeeded(changed)) return
    person.ended.push(login.body['refresh_token'] ?? '', tokens['refresh_token'] ?? '')
    const last = changed.body['refresh_token'] ?? ''
    if (succeeded(await send('POST /logout', { token: last }))) person.ended.push(last)
  }

  async function change(person: Person, wanted: string, token: string | undefined): Promise<Operation> {
    const [current = ''] = person.passwords
    person.passwords = [current, wanted]
    const body = { current_password: current, new_password: wanted }
    const changed = await send('POST /change-password', { token, body })
    if (changed.status >= 400 && changed.status < 500) person.passwords = [current]
    if (succeeded(changed)) person.passwords = [wanted]
    return changed
  }

  const running = Promise.all(
    Array.from({ length: loops }, async () => {
      for (; !over; await sleep(100)) await live()
    })
  )
  const stop = async () => {
    over = true
    await running
  }
  t.teardown(stop)

  return {
    stop,
    check: async (t) => {
      const wrong: string[] = []
      for (const { email, passwords, ended } of people) {
        const logins = []
        for (const password of passwords) logins.push((await send('POST /login', { body: { email, password } })).status)
        if (logins.filter((status) => status === 200).length !== 1) wrong.push(`${email}: logins say ${logins}`)
        for (const token of ended) {
          const { status } = await send('POST /refresh-token', { token })
          if (status !== 401) wrong.push(`${email}: an ended session says ${status}`)
        }
      }
      t.strictSame(wrong, [], `what ${people.length} people were told is so`)
      between(t, people.length, { least: 1 }, 'and somebody signed up')
    }
  }
}
