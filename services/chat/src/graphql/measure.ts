import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode
} from 'graphql'
import { DEFAULT_LIMIT, MOST_ENTRIES } from '../fields.ts'

/** How much work a selection asks for. */
export interface Size {
  /** Levels of fields. */
  readonly depth: number
  /** Fields of the first level. */
  readonly fields: number
  /** Fields in all, those below a list as often as the list may have entries. */
  readonly cost: number
  /** Of these, lists that are read from the database. */
  readonly lists: number
}

const NOTHING: Size = { depth: 0, fields: 0, cost: 0, lists: 0 }

/** What an operation is measured with. */
interface Measured {
  readonly schema: GraphQLSchema
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
  /** The variables as the client sent them, not yet looked at. */
  readonly variables: Readonly<Record<string, unknown>>
}

/**
 * Measures an operation before anything is done for it. Each name counts, aliases and repetitions too, and a fragment wherever it
 * is spread; yet each fragment is looked at once, so that no document makes much work here. Introspection counts as one
 * field.
 */
export function sizeOf(operation: OperationDefinitionNode, measured: Measured): Size {
  const defaults = (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
    defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)] as const] : []
  )
  const variables = { ...Object.fromEntries(defaults), ...measured.variables }
  const root = measured.schema.getRootType(operation.operation)
  return new Measure({ ...measured, variables }).selection(operation.selectionSet, root ?? undefined)
}

class Measure {
  readonly #measured: Measured
  readonly #known = new Map<string, Size>()

  constructor(measured: Measured) {
    this.#measured = measured
  }

  selection({ selections }: SelectionSetNode, type: GraphQLNamedType | undefined): Size {
    const sizes = selections.map((node) => {
      if (node.kind === Kind.FIELD) return this.#field(node, type)
      if (node.kind === Kind.FRAGMENT_SPREAD) return this.#fragment(node.name.value)
      return this.selection(node.selectionSet, this.#typeOf(node.typeCondition?.name.value) ?? type)
    })
    return sizes.reduce(sum, NOTHING)
  }

  // One that spreads itself is refused by another rule, and counts nothing here.
  #fragment(name: string): Size {
    const known = this.#known.get(name)
    const fragment = this.#measured.fragments.get(name)
    if (known || !fragment) return known ?? NOTHING
    this.#known.set(name, NOTHING)
    const size = this.selection(fragment.selectionSet, this.#typeOf(fragment.typeCondition.name.value))
    this.#known.set(name, size)
    return size
  }

  #field(node: FieldNode, type: GraphQLNamedType | undefined): Size {
    const own = { depth: 1, fields: 1, cost: 1, lists: 0 }
    const name = node.name.value
    if (!node.selectionSet || name.startsWith('__')) return own
    const field = isObjectType(type) ? type.getFields()[name] : undefined
    const inner = this.selection(node.selectionSet, field && getNamedType(field.type))
    const isList = field?.args.some((argument) => argument.name === 'limit') ?? false
    const entries = isList ? this.#limitOf(node) : 1
    return {
      depth: 1 + inner.depth,
      fields: 1,
      cost: 1 + entries * inner.cost,
      lists: (isList ? 1 : 0) + entries * inner.lists
    }
  }

  // What is no number within the bounds is refused before anything is read.
  #limitOf({ arguments: args = [] }: FieldNode): number {
    const value = args.find(({ name }) => name.value === 'limit')?.value
    if (!value || value.kind === Kind.NULL) return DEFAULT_LIMIT
    const sent = value.kind === Kind.VARIABLE ? this.#measured.variables[value.name.value] : undefined
    const limit = value.kind === Kind.INT ? Number(value.value) : sent
    if (value.kind === Kind.VARIABLE && (limit === undefined || limit === null)) return DEFAULT_LIMIT
    return typeof limit === 'number' && limit >= 1 && limit < MOST_ENTRIES ? limit : MOST_ENTRIES
  }

  #typeOf(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.#measured.schema.getType(name)
  }
}

function sum(one: Size, other: Size): Size {
  return {
    depth: Math.max(one.depth, other.depth),
    fields: one.fields + other.fields,
    cost: one.cost + other.cost,
    lists: one.lists + other.lists
  }
}
