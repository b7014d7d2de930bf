import type { Test } from 'tap'
import { between } from './between.ts'

interface Operation {
  readonly operationId?: string
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, { readonly headers?: Readonly<Record<string, object>> }>>
}

/** What a document of a service says of its endpoints. */
interface Document {
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
export function everyRefusalHasItsHeaders(t: Test, { paths }: Document): void {
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const [status, { headers = {} }] of Object.entries(responses)) {
        const about = `${method} ${path} ${status}`
        const waits = ['429', '503'].includes(status) || (status === '400' && path === '/refresh')
        t.equal('Retry-After' in headers, waits, `${about}: Retry-After`)
        if (status === '401') t.hasProp(headers, 'WWW-Authenticate', about)
      }
    }
  }
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
