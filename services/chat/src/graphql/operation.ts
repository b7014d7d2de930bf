import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  type OperationTypeNode,
  parse,
  validate
} from 'graphql'
import type { Context } from './context.ts'
import { type Asked, shownErrors } from './errors.ts'
import { LIMITS, rulesFor } from './limits.ts'
import { memberOf } from './resolvers.ts'

/** A request as clients send it. */
export interface Operation {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
}

/** What a transport executes, and how it shows what came of it. */
export interface Engine {
  /**
   * Reads a request and checks it against all limits, before anything is done for it. Returns what is to be executed, or the
   * errors.
   */
  prepare(operation: Operation, context: Context, asked: Asked): Prepared | GraphQLError[]
  /** The result as clients see it. */
  shown(result: ExecutionResult, asked: Asked): ExecutionResult
}

/** A request that may be executed. */
export interface Prepared {
  readonly type: OperationTypeNode
  readonly args: ExecutionArgs
}

/** Makes what all transports share. In development clients may ask for the schema, and messages suggest names. */
export function makeEngine(schema: GraphQLSchema, isDevelopment: boolean): Engine {
  return {
    prepare: (operation, contextValue, asked) => {
      try {
        const read = readOperation(operation, { schema, isDevelopment })
        if (Array.isArray(read)) return shownErrors(read, asked)
        const settings = { contextValue, fieldResolver: memberOf, hideSuggestions: !isDevelopment }
        return { type: read.type, args: { ...read.args, ...settings } as ExecutionArgs }
      } catch (error) {
        return shownErrors([asError(error)], asked)
      }
    },
    shown: ({ errors, ...result }, asked) => (errors ? { errors: shownErrors(errors, asked), ...result } : result)
  }
}

/** The error of whatever was thrown. */
export function asError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error
  return new GraphQLError('', { originalError: error instanceof Error ? error : new Error(String(error)) })
}

function readOperation(
  { query, operationName, variables }: Operation,
  { schema, isDevelopment }: { schema: GraphQLSchema; isDevelopment: boolean }
): Prepared | GraphQLError[] {
  const document = parse(query, { maxTokens: LIMITS.tokens })
  for (const rules of rulesFor(variables ?? {}, isDevelopment)) {
    // The library adds one more, which says that there are more.
    const options = { maxErrors: LIMITS.errors - 1, hideSuggestions: !isDevelopment }
    const errors = validate(schema, document, rules, options)
    if (errors.length > 0) return [...errors]
  }
  const operation = getOperationAST(document, operationName)
  if (!operation) return [new GraphQLError(noOperation(document, operationName))]
  const given = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
    maxErrors: LIMITS.errors - 1,
    hideSuggestions: !isDevelopment
  })
  if (given.errors) return [...given.errors]
  return {
    type: operation.operation,
    args: { schema, document, operationName: operationName ?? null, variableValues: variables ?? {} }
  }
}

function noOperation({ definitions }: DocumentNode, name: string | null | undefined): string {
  if (name) return 'The document has no operation of that name.'
  return definitions.length > 1
    ? 'The document has several operations: say which one.'
    : 'The document has no operation.'
}
