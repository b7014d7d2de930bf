import t from 'tap'
import { type TSchema, Type } from 'typebox'
import type { App } from '../src/app-type.ts'
import { openapi } from '../src/openapi.ts'
import { problems } from '../src/schemas.ts'
import { startFrame } from './frame.ts'

const INFO = { title: 'Test', description: 'Of a test', version: '1' }
const ID = 'the id of a cup'
const SIZE = Type.Enum(['small', 'large'], { title: 'Size' })
const CUP = Type.Object({ size: SIZE, title: Type.String({ examples: ['Mine'] }) }, { title: 'Cup' })
const CUPS = Type.Object({ cups: Type.Array(CUP) }, { title: 'CupList' })

/** A document with two routes that answer these. */
async function documentOf(t: Parameters<typeof startFrame>[0], { one, all }: { one: TSchema; all: TSchema }) {
  const params = Type.Object({ id: Type.String({ description: ID }) })
  const querystring = Type.Object({
    size: Type.Optional(Type.Enum(['small', 'large'], { title: 'Size', description: ID }))
  })
  const endpoints = async (app: App) => {
    openapi(app, INFO)
    app.get('/cups/:id', { schema: { params, response: { 200: one, ...problems('not_found') } } }, () => null)
    app.get('/cups', { schema: { querystring, response: { 200: all, ...problems() } } }, () => null)
  }
  const { send } = await startFrame(t, endpoints)
  return send('GET /openapi.json')
}

const ref = (name: string) => ({ $ref: `#/components/${name}` })

t.test('what has a title stands once under it, and everywhere else is a reference', async (t) => {
  const { body } = await documentOf(t, { one: CUP, all: CUPS })
  const { schemas } = body.components
  t.strictSame(Object.keys(schemas), ['Cup', 'CupList', 'FieldError', 'Problem', 'Size'])
  t.strictSame(schemas.Size, { type: 'string', enum: ['small', 'large'] })
  t.strictSame(schemas.Cup, {
    type: 'object',
    required: ['size', 'title'],
    properties: { size: ref('schemas/Size'), title: { type: 'string', examples: ['Mine'] } }
  })
  t.strictSame(schemas.CupList.properties.cups, { type: 'array', items: ref('schemas/Cup') })
  const { '/cups': all, '/cups/{id}': one } = body.paths
  t.strictSame(one.get.responses[200].content, { 'application/json': { schema: ref('schemas/Cup') } })
  t.strictSame(all.get.responses[200].content, { 'application/json': { schema: ref('schemas/CupList') } })
  t.match(all.get.parameters, [{ name: 'size', description: ID, schema: ref('schemas/Size') }])
})

t.test('answers with the same codes are one, and every code of the document is one of Problem', async (t) => {
  const { body } = await documentOf(t, { one: CUP, all: CUPS })
  const { responses, schemas } = body.components
  t.strictSame(Object.keys(responses), ['InternalError', 'InvalidInput', 'NotFound', 'Unavailable'])
  for (const { get } of Object.values<typeof body>(body.paths)) {
    t.match(get.responses, { 500: ref('responses/InternalError'), 503: ref('responses/Unavailable') })
  }
  const { schema, example } = responses.NotFound.content['application/problem+json']
  t.strictSame(schema.allOf, [
    ref('schemas/Problem'),
    { type: 'object', properties: { code: { type: 'string', enum: ['not_found'] } } }
  ])
  t.match(example, { type: 'urn:latchkey:problem:not-found', status: 404, code: 'not_found' })
  const codes = ['invalid_input', 'not_found', 'method_not_allowed', 'internal_error', 'unavailable']
  t.strictSame(schemas.Problem.properties.code.enum, codes)
  t.strictSame(schemas.Problem.properties.errors.items, ref('schemas/FieldError'))
})

t.test('two schemas that differ cannot have one name', async (t) => {
  const other = Type.Object({ size: SIZE }, { title: 'Cup' })
  t.match(await documentOf(t, { one: other, all: CUPS }), { status: 500, body: { code: 'internal_error' } })
})
