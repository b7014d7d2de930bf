import { PASSWORD } from './pair.mjs'

/**
 * Signs people up and logs them in.
 *
 * @param {string} url of the auth service
 * @param {number} count
 * @returns {Promise<{ email: string, refresh_token: string, access_token: string }[]>}
 */
export async function makePeople(url, count) {
  const people = []
  // Few at once, so that none waits too long for a hashing thread.
  for (let made = 0; made < count; made += 4) {
    const some = Array.from({ length: Math.min(4, count - made) }, async (_, i) => {
      const email = `person${made + i}@bench.example.com`
      await post(`${url}/signup`, { email, username: 'Ada', password: PASSWORD }, 201)
      return logIn(url, email)
    })
    people.push(...(await Promise.all(some)))
  }
  return people
}

/** A new session of each, as few at once. @param {string} url @param {{ email: string }[]} people */
export async function logInAll(url, people) {
  const sessions = []
  for (let done = 0; done < people.length; done += 4) {
    sessions.push(...(await Promise.all(people.slice(done, done + 4).map(({ email }) => logIn(url, email)))))
  }
  return sessions
}

/** @param {string} url @param {string} email */
export async function logIn(url, email) {
  return { email, ...(await post(`${url}/login`, { email, password: PASSWORD }, 200)) }
}

/** @param {string[]} emails */
export const loginBodies = (emails) => emails.map((email) => JSON.stringify({ email, password: PASSWORD }))

/**
 * @param {string} url
 * @param {object} body
 * @param {number} expected
 */
async function post(url, body, expected) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== expected) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
