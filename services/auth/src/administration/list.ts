import type { App } from '@latchkey/frame/app-type'
import { ACCESS_TOKEN, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { findUsers } from '../users/find.ts'
import { adminView, USER_FOR_ADMINS } from './view.ts'

const DEFAULT_LIMIT = 50

// A text in PostgreSQL cannot contain NUL.
const PART = { maxLength: 254, pattern: '^[^\\u0000]*$' }

const schema = {
  tags: ['administration'],
  operationId: 'listUsers',
  summary: 'List accounts in the order of their addresses, one page at a time',
  security: ACCESS_TOKEN,
  querystring: Type.Object(
    {
      search: Type.Optional(Type.String({ ...PART, description: 'a part of the address' })),
      after: Type.Optional(Type.String({ ...PART, description: 'the value of next in the previous page' })),
      limit: Type.Optional(
        Type.String({ maxLength: 3, pattern: '^([1-9][0-9]?|100)$', description: 'a number from 1 to 100' })
      )
    },
    { additionalProperties: false }
  ),
  response: {
    200: Type.Object(
      {
        users: Type.Array(USER_FOR_ADMINS),
        next: Type.Union([Type.String(), Type.Null()], { description: 'after of the next page; null on the last one' })
      },
      { title: 'UserPage' }
    ),
    ...problems(...TOKEN_PROBLEMS, 'insufficient_scope')
  }
}

/** `GET /users`. */
export function listUsers(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  app.get('/users', { schema, onRequest: guards.admin }, async ({ query }) => {
    const { limit: wanted, ...page } = query
    const limit = Number(wanted ?? DEFAULT_LIMIT)
    const found = await findUsers(database, { ...page, limit: limit + 1 })
    const users = found.slice(0, limit)
    return { users: users.map(adminView), next: found.length > limit ? (users.at(-1)?.email ?? null) : null }
  })
}
