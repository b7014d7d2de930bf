import type { Test } from 'tap'
import { between } from './between.ts'
import { resolved } from './document.ts'

interface Operation {
  readonly operationId?: string
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, Answer>>
}

interface Answer {
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface Schema {
  readonly $ref?: string
  readonly anyOf?: readonly Schema[]
}

/** What a document of a service says of its endpoints. */
interface Document {
  readonly [member: string]: unknown
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/**
 * Asserts that each endpoint has its own name, written as functions are, and says who may call it. Generators of
 * clients need both.
 */
export function everyOperationIsNamed(t: Test, { paths }: Document): void {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ line: `${method.toUpperCase()} ${path}`, ...operation }))
  )
  between(t, operations.length, { least: 1 })
  const names = operations.map(({ operationId }) => operationId)
  t.strictSame([...new Set(names)], names, 'no two have one name')
  for (const { line, operationId, security, responses } of operations) {
    t.match(operationId, /^[a-z][A-Za-z]+$/, `${line} has a name`)
    t.equal(
      security?.some((scheme) => Object.keys(scheme).length > 0),
      '401' in responses,
      `${line} says who may call it`
    )
  }
}

/** Asserts that refusals list their headers: when to try again, and how to show a token. */
export function everyRefusalHasItsHeaders(t: Test, document: Document): void {
  for (const { path, method, status, headers = {} } of answersOf(resolved(document))) {
    const about = `${method} ${path} ${status}`
    const waits = ['429', '503'].includes(status) || (status === '400' && path === '/refresh')
    t.equal('Retry-After' in headers, waits, `${about}: Retry-After`)
    if (status === '401') t.hasProp(headers, 'WWW-Authenticate', about)
  }
}

/** Every answer of every endpoint. */
export function answersOf({ paths }: Document): (Answer & { path: string; method: string; status: string })[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) =>
      Object.entries(responses).map(([status, answer]) => ({ path, method, status, ...answer }))
    )
  )
}

/** Asserts that no text of a document has a `<` outside of code, where Markdown takes it for HTML and shows nothing. */
export function everyTextIsShown(t: Test, document: unknown): void {
  const texts: string[] = []
  JSON.stringify(document, (name, value) => {
    if ((name === 'description' || name === 'summary') && typeof value === 'string') texts.push(value)
    return value
  })
  between(t, texts.length, { least: 1 }, 'texts')
  t.strictSame(
    texts.filter((text) => text.replaceAll(/`[^`]*`/g, '').includes('<')),
    []
  )
}

/** Asserts that each good answer in JSON is a schema with a name, or one of several. Generators make types of these names. */
export function everyAnswerIsNamed(t: Test, document: Document): void {
  const answers = answersOf(document).filter(({ status, content }) => status.startsWith('2') && content)
  between(t, answers.length, { least: 1 }, 'answers')
  for (const { path, method, content = {} } of answers) {
    for (const [type, { schema }] of Object.entries(content).filter(([type]) => type.endsWith('json'))) {
      const each = (schema.anyOf ?? [schema]).map(({ $ref }) => $ref)
      t.match(each, Array(each.length).fill(/^#\/components\/schemas\/[A-Z]/), `${method} ${path} ${type}`)
    }
  }
}

/** Asserts that no object of two or more properties is described twice: it needs a `title`, and then stands once. */
export function everyObjectStandsOnce(t: Test, document: Document): void {
  const schemas: string[] = []
  JSON.stringify(document, (_name, value) => {
    if (Object.keys(value?.properties ?? {}).length >= 2) schemas.push(JSON.stringify(value))
    return value
  })
  between(t, schemas.length, { least: 1 }, 'schemas')
  t.strictSame(
    schemas.filter((schema, place) => schemas.indexOf(schema) !== place),
    []
  )
}
