// Plain Fastify with the route and no authentication.
import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import { GREETING, greeting, listen } from './greeting.mjs'

const id = randomUUID()
const app = Fastify()
app.get('/greet', { schema: GREETING }, () => greeting('Ada', id))
await listen(app)
