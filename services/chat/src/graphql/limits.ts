import {
  type DefinitionNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  specifiedRules,
  type ValidationRule
} from 'graphql'
import { type Size, sizeOf } from './measure.ts'

/** What one request may ask for. */
export const LIMITS = {
  /** Names, numbers, texts and signs of the document. */
  tokens: 1000,
  /** Levels of fields. */
  depth: 6,
  /** Fields of the first level, and those of a mutation, which are done one after the other. */
  fields: 10,
  changes: 5,
  /** Fields in all, those below a list as often as the list may have entries. */
  cost: 5000,
  /** Lists in all, which are read from the database one by one. */
  lists: 200,
  /** Errors of one answer to a request that is not executed. */
  errors: 10
} as const

const WORDS = {
  depth: 'levels of fields',
  fields: 'fields at the first level',
  changes: 'fields in a mutation',
  cost: 'fields, those below a list times its limit',
  lists: 'lists, those below a list times its limit'
} as const

/**
 * The rules of documents of all transports, in the order in which they are applied: what the first ones refuse, the
 * others never see, because some of them take long for what is long.
 */
export function rulesFor(variables: Readonly<Record<string, unknown>>, isDevelopment: boolean): ValidationRule[][] {
  const standard = isDevelopment ? [...specifiedRules] : [...specifiedRules, NoSchemaIntrospectionCustomRule]
  return [[limitsRule(variables)], standard]
}

function limitsRule(variables: Readonly<Record<string, unknown>>): ValidationRule {
  return (context) => ({
    Document: ({ definitions }) => {
      const fragments = new Map(definitions.filter(isFragment).map((fragment) => [fragment.name.value, fragment]))
      for (const definition of definitions.filter(isOperation)) {
        const size = sizeOf(definition, { schema: context.getSchema(), fragments, variables })
        const excess = excessOf(size, definition.operation === 'mutation')
        if (excess) context.reportError(new GraphQLError(excess, { nodes: definition }))
      }
      // Nothing below has to be visited.
      return false
    }
  })
}

function isFragment(node: DefinitionNode): node is FragmentDefinitionNode {
  return node.kind === Kind.FRAGMENT_DEFINITION
}

function isOperation(node: DefinitionNode): node is OperationDefinitionNode {
  return node.kind === Kind.OPERATION_DEFINITION
}

function excessOf({ depth, fields, cost, lists }: Size, isMutation: boolean): string | undefined {
  const found = { depth, [isMutation ? 'changes' : 'fields']: fields, cost, lists }
  for (const [name, size] of Object.entries(found)) {
    const limit = name as keyof typeof WORDS
    if (size > LIMITS[limit])
      return `A request may have at most ${LIMITS[limit]} ${WORDS[limit]}; this one has ${size}.`
  }
  return undefined
}
