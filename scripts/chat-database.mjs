import { createHmac } from 'node:crypto'
import pg from 'pg'

/** The name of the chat's database in our own cluster, beside that of the auth service. */
const DATABASE = 'chat'

/** The user of the chat, who sees nothing of the auth service's tables. */
const USER = 'latchkey_chat'

/**
 * Makes the database of the chat in our own cluster, if it is missing, and closes both databases to the user of the other
 * service.
 *
 * @param {import('../tools/embedded-postgres/server.mjs').Urls} server
 * @returns {Promise<import('../tools/embedded-postgres/server.mjs').Urls>} of that database; the user is made by its migration
 */
export async function prepareChatDatabase({ url: owner }) {
  const client = new pg.Client(owner)
  await client.connect()
  try {
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE])
    if (rows.length === 0) await client.query(`CREATE DATABASE ${DATABASE} TEMPLATE template0`)
    await client.query(`REVOKE CONNECT ON DATABASE postgres, ${DATABASE} FROM PUBLIC`)
  } finally {
    await client.end()
  }
  const url = new URL(owner)
  url.pathname = `/${DATABASE}`
  const service = new URL(url)
  service.username = USER
  service.password = createHmac('sha256', url.password).update(USER).digest('base64url')
  return { url: url.href, serviceUrl: service.href }
}
