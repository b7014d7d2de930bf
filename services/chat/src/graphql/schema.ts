import { buildSchema, type GraphQLObjectType, type GraphQLSchema } from 'graphql'
import { ACTION_FIELDS, memberOf, type Resolver, resolverOf } from './resolvers.ts'
import { SDL } from './sdl.ts'

/** Makes the schema that is executed; `roomEvents` makes the events of a subscription. */
export function makeSchema(roomEvents: Resolver): GraphQLSchema {
  const schema = buildSchema(SDL)
  for (const [type, fields] of Object.entries(ACTION_FIELDS)) {
    for (const [name, field] of Object.entries(fields)) fieldOf(schema, type, name).resolve = resolverOf(field)
  }
  for (const type of ['Message', 'Event']) {
    fieldOf(schema, type, 'deleted').resolve = (...[parent, ...rest]) => memberOf(parent, ...rest) ?? false
  }
  const events = fieldOf(schema, 'Subscription', 'roomEvents')
  events.subscribe = roomEvents
  events.resolve = (event) => event
  return schema
}

function fieldOf(schema: GraphQLSchema, type: string, name: string) {
  const field = (schema.getType(type) as GraphQLObjectType | undefined)?.getFields()[name]
  if (!field) throw new TypeError(`the schema has no field ${type}.${name}`)
  return field
}
