import type { App } from '@latchkey/frame/app-type'
import type { ActionParts } from '../actions/action.ts'
import { graphqlByHttp } from './http.ts'
import { makeEngine } from './operation.ts'
import { makeSchema } from './schema.ts'

/** The settings of GraphQL. */
export interface GraphqlSettings {
  /** `development` lets clients ask for the schema. */
  readonly NODE_ENV: 'production' | 'development'
}

/** `/graphql`: the actions by GraphQL. */
export function graphql(app: App, { NODE_ENV }: GraphqlSettings, parts: ActionParts): void {
  const schema = makeSchema(() => undefined)
  graphqlByHttp(app, makeEngine(schema, NODE_ENV === 'development'), parts)
}
