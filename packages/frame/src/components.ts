import { isDeepStrictEqual } from 'node:util'
import { PROBLEMS, type ProblemCode } from '@latchkey/problems/codes'
import { Problem } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'
import { problemBody } from './schemas.ts'

type Members = Readonly<Record<string, unknown>>

/** An answer with problems, as `problems` makes it. */
interface Problems extends Members {
  readonly content: Members & {
    readonly [PROBLEM_TYPE]: {
      readonly schema: { readonly properties: { readonly code: { readonly enum: ProblemCode[] } } }
    }
  }
}

const PROBLEM_TYPE = 'application/problem+json'

/** What stands under these names is data, and no part of the document. */
const DATA = ['example', 'examples', 'default', 'enum', 'const']

/** What a parameter says beside its schema, so that the schema has it no more. */
const BESIDE = ['description', 'example', 'examples']

/** The problems of paths and methods that are in no document. */
const OF_NO_PATH: readonly ProblemCode[] = ['not_found', 'method_not_allowed']

/** An id as `request_id` has it. */
const AN_ID = '00000000-0000-4000-8000-000000000000'

/**
 * Makes a document in which everything that has a name stands once. Each schema with a `title` stands in
 * `components.schemas` under it, each answer with problems in `components.responses` under their codes; everywhere else is
 * a `$ref`.
 *
 * Throws a TypeError if two that differ have one name.
 */
export function withComponents<T extends { components?: object; paths?: object }>(document: T): T {
  const naming = new Naming()
  const paths = naming.of(document.paths)
  naming.of(problemBody(inOrder([...OF_NO_PATH, ...naming.codes])))
  const schemas = sorted(naming.schemas)
  return { ...document, paths, components: { ...document.components, schemas, responses: sorted(naming.responses) } }
}

class Naming {
  readonly schemas = new Map<string, Members>()
  readonly responses = new Map<string, Members>()
  /** Of all problems so far. */
  readonly codes = new Set<ProblemCode>()

  /** Names what is in a part of the document, and returns what stands there instead. */
  of(part: unknown): unknown {
    if (Array.isArray(part)) return part.map((member) => this.of(member))
    if (typeof part !== 'object' || part === null) return part
    if (isProblems(part)) return this.#problems(part)
    // The members first, so that a named schema can be part of another one.
    const members = Object.entries(part).map(([name, member]) => [name, DATA.includes(name) ? member : this.of(member)])
    const schema = withType(Object.fromEntries(members))
    const title = schema['title']
    return typeof title === 'string' ? this.#schema(title, without(['title'], schema)) : schema
  }

  #schema(title: string, schema: Members): Members {
    const known = this.schemas.get(title)
    requireSame(title, known && without(BESIDE, known), without(BESIDE, schema))
    this.schemas.set(title, { ...schema, ...known })
    return { $ref: `#/components/schemas/${title}` }
  }

  // What an answer has besides, such as the results of GraphQL, keeps it where it is.
  #problems(answer: Problems): Members {
    const others = this.of(without([PROBLEM_TYPE], answer.content)) as Members
    const codes = inOrder(answer.content[PROBLEM_TYPE].schema.properties.code.enum)
    for (const each of codes) this.codes.add(each)
    const named = { ...answer, content: { ...others, [PROBLEM_TYPE]: problemContent(codes) } }
    if (Object.keys(others).length > 0) return named
    const name = codes.map(inPascalCase).join('Or')
    requireSame(name, this.responses.get(name), named)
    this.responses.set(name, named)
    return { $ref: `#/components/responses/${name}` }
  }
}

// Many generators make nothing of an `enum` without a `type`.
function withType(schema: Members): Members {
  const words = schema['type'] === undefined && Array.isArray(schema['enum']) ? schema['enum'] : []
  return words.length > 0 && words.every((word) => typeof word === 'string') ? { type: 'string', ...schema } : schema
}

function requireSame(name: string, known: Members | undefined, other: Members): void {
  if (known && !isDeepStrictEqual(known, other)) throw new TypeError(`two things are called ${name}`)
}

function isProblems(part: object): part is Problems {
  const content = 'content' in part ? part.content : undefined
  return typeof content === 'object' && content !== null && PROBLEM_TYPE in content
}

// `allOf`, because many generators look at nothing beside a `$ref`.
function problemContent(codes: readonly ProblemCode[]): Members {
  const [first = 'internal_error'] = codes
  const errors = first === 'invalid_input' ? { errors: [{ field: 'body', message: 'is required' }] } : {}
  return {
    schema: {
      allOf: [
        { $ref: '#/components/schemas/Problem' },
        { type: 'object', properties: { code: { type: 'string', enum: codes } } }
      ]
    },
    example: problemResponse(new Problem(first, errors), AN_ID).body
  }
}

function inOrder(codes: readonly ProblemCode[]): ProblemCode[] {
  return (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.includes(code))
}

function inPascalCase(code: string): string {
  return code.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function without(names: readonly string[], members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
}

function sorted(named: ReadonlyMap<string, Members>): Members {
  return Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))
}
