// Fastify with jose and its remote key set, and nothing else.
import Fastify from 'fastify'
import { greetByJose } from './by-jose.mjs'
import { listen } from './greeting.mjs'

const app = Fastify()
greetByJose(app)
await listen(app)
