// Plain Fastify with the route and no authentication.
import Fastify from 'fastify'
import { GREETING, greeting } from './greeting.mjs'

const app = Fastify()
app.get('/greet', { schema: GREETING }, () => greeting('Ada', 'somebody'))
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))
