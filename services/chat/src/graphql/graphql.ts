import type { App } from '@latchkey/frame/app-type'
import { graphqlByHttp } from './http.ts'
import { makeEngine } from './operation.ts'
import { roomEvents } from './room-events.ts'
import { makeSchema } from './schema.ts'
import type { GraphqlSocketParts } from './serve.ts'
import { type GraphqlSocketSettings, socketOpener } from './sockets.ts'

/** The settings of GraphQL. */
export interface GraphqlSettings extends GraphqlSocketSettings {
  /** `development` lets clients ask for the schema. */
  readonly NODE_ENV: 'production' | 'development'
}

/** `/graphql`: the actions by GraphQL, over HTTP and, with subscriptions, over WebSocket. */
export function graphql(app: App, settings: GraphqlSettings, parts: Omit<GraphqlSocketParts, 'engine'>): void {
  const engine = makeEngine(makeSchema(roomEvents), settings.NODE_ENV === 'development')
  graphqlByHttp(app, { engine, actions: parts.actions, open: socketOpener(app, settings, { ...parts, engine }) })
}
