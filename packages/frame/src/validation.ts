import { type FieldError, Problem } from '@latchkey/problems/problem'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'

/** Most faults that one answer names. */
const MOST_FAULTS = 20

/** Longest part of an unknown name that an answer repeats, in UTF-16 units. */
const LONGEST_NAME = 40

const PLACES: Record<string, string> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }

/**
 * The member `refuse` of a text's schema: returns what is wrong with a text, beginning with "must", or nothing.
 *
 * It decides instead of the schema's other keywords, for rules that JSON Schema cannot express, such as a length after
 * NFC. The other keywords are then only for readers and generators.
 */
type Refuse = (text: string) => string | undefined

interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[] | undefined
  readonly additionalProperties?: boolean
  readonly refuse?: Refuse
}

type Members = Readonly<Record<string, unknown>>

type Judge = (value: unknown) => FieldError | undefined

/**
 * Makes the validator of requests. It looks at all fields, so one answer names every wrong one, but stops at the first
 * fault of a field, so a text that is too long is not processed. An unknown member is a fault. An answer names at most
 * twenty.
 *
 * A schema is an object with `properties`, `required` and `additionalProperties`; the schema of a field may be any.
 */
export function fieldValidator(): FastifySchemaCompiler<Schema> {
  // The schemas are TypeBox's own, so they are not checked.
  const ajv = new Ajv({ verbose: true, validateSchema: false, meta: false })
  return ({ schema, httpPart = 'body' }) => {
    const place = PLACES[httpPart] ?? httpPart
    const judge = judgeObject(schema, place, ajv)
    return (value: unknown) => {
      const errors = judge(value)
      if (errors.length === 0) return { value }
      return { error: new Problem('invalid_input', { errors, reason: `${place}: ${known(errors, schema)}` }) }
    }
  }
}

/** The keywords that a request's schema may have; others would be ignored, so they are refused. */
const KNOWN = ['type', 'properties', 'required', 'additionalProperties', 'description']

function judgeObject(schema: Schema, place: string, ajv: Ajv): (value: unknown) => FieldError[] {
  const unseen = Object.keys(schema).filter((keyword) => !KNOWN.includes(keyword))
  if (unseen.length > 0 || !schema.properties) throw new TypeError(`a schema of ${place} is no plain object: ${unseen}`)
  const { properties, required = [] } = schema
  const judges = Object.entries(properties).map(([name, field]) => {
    const judge = judgeField(name, field, ajv)
    const missing = required.includes(name) ? { field: name, message: 'is required' } : undefined
    return (object: object) => (Object.hasOwn(object, name) ? judge((object as Members)[name]) : missing)
  })
  return (value) => {
    if (value === null && schema.type?.includes('null')) return []
    if (!isObject(value)) return [{ field: place, message: 'must be object' }]
    const faults = judges.flatMap((judge) => judge(value) ?? [])
    return schema.additionalProperties === false ? [...faults, ...unknown(value, properties, faults.length)] : faults
  }
}

// For the log. Other names are the client's text, which may contain a password.
function known(errors: readonly FieldError[], { properties = {} }: Schema): string {
  const names = errors.map(({ field }) => field.split('.', 1)[0] ?? '')
  return [...new Set(names.map((name) => (Object.hasOwn(properties, name) ? name : 'something else')))].join(', ')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknown(object: object, properties: Members, found: number): FieldError[] {
  const faults: FieldError[] = []
  for (const name of Object.keys(object)) {
    if (found + faults.length >= MOST_FAULTS) break
    if (!Object.hasOwn(properties, name)) faults.push({ field: shown(name), message: 'is not known here' })
  }
  return faults
}

function judgeField(name: string, schema: Schema, ajv: Ajv): Judge {
  const { refuse } = schema
  if (refuse) {
    return (value) => {
      const message = typeof value === 'string' ? refuse(value) : 'must be string'
      return message === undefined ? undefined : { field: name, message }
    }
  }
  // When it is first needed, because all of them would take a twentieth of the auth service's start.
  let validate: ValidateFunction | undefined
  return (value) => {
    validate ??= ajv.compile(schema)
    // The last error is the outermost one, if alternatives failed before.
    const fault = validate(value) ? undefined : validate.errors?.at(-1)
    return fault && describeFault(fault, name)
  }
}

function describeFault(
  { instancePath, keyword, params, message, parentSchema }: ErrorObject,
  name: string
): FieldError {
  const inside = (member: unknown) => shown([name, ...instancePath.split('/').slice(1), String(member)].join('.'))
  if (keyword === 'required') return { field: inside(params['missingProperty']), message: 'is required' }
  if (keyword === 'additionalProperties') {
    return { field: inside(params['additionalProperty']), message: 'is not known here' }
  }
  const field = shown(`${name}${instancePath.replaceAll('/', '.')}`)
  const expected = keyword !== 'type' && parentSchema?.['description']
  return { field, message: expected ? `must be ${expected}` : (message ?? 'is not valid') }
}

// Names of members are the client's text, so characters that could harm a terminal or parser are removed.
function shown(name: string): string {
  const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name
  return short.toWellFormed().replaceAll(/\p{Cc}/gu, '\ufffd')
}
