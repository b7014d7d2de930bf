import type { Test } from 'tap'

interface Operation {
  readonly operationId?: string
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, unknown>>
}

/** What a document of a service says of its endpoints. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/**
 * Asserts what generators of clients need to know of each endpoint: a name of its own, as functions have them, and who
 * may call it. Without the first they invent names; what says nothing of the second counts as unknown, not as public.
 */
export function everyOperationIsNamed(t: Test, { paths }: Document): void {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ line: `${method.toUpperCase()} ${path}`, ...operation }))
  )
  t.ok(operations.length > 0)
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
