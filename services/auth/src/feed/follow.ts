import type { Queryable } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import type { Static, TObject } from 'typebox'
import type { ActingOf } from '../guards/acting.ts'
import type { Keys } from '../keys/folder.ts'
import { noteReceivers } from '../revocations/receivers.ts'
import { openSource } from '../revocations/source.ts'
import { type Feed, openFeed } from './feed.ts'
import { noteWhoAsks } from './receivers.ts'
import { revocations } from './revocations.ts'
import { type feedSettings, tokensOf } from './settings.ts'
import { createSigner } from './sign.ts'
import { Teller } from './tell.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The revocation feed of this instance, unless it is off. */
    feed?: Feed
  }
}

/** What the feed needs. */
interface FeedNeeds {
  readonly database: Queryable
  readonly keys: Pick<Keys, 'access'>
  readonly actingOf: ActingOf
  /** Reads the keys again; never rejects. */
  readonly rereadKeys: () => Promise<void>
}

/** Adds the revocation feed and its endpoint, unless it is off. A change of this instance is told at once. */
export function followRevocations(
  app: App,
  config: Static<TObject<typeof feedSettings>> & { readonly ISSUER: string },
  { database, keys: { access }, actingOf, rereadKeys }: FeedNeeds
): void {
  const { REVOCATION_FEED: mode, FEED_TOKEN: token, FEED_WAITING: waiting, ISSUER: issuer } = config
  if (mode === 'off') return
  const source = openSource(database)
  const { log, closing } = app
  const feed = openFeed({
    source,
    teller: new Teller({ source, sign: createSigner(access), access, rereadKeys, issuer, log }),
    limits: { waiting, isOpen: mode === 'open' },
    log,
    closing
  })
  app.decorate('feed', feed)
  app.addHook('onResponse', (request, _reply, done) => {
    if (actingOf(request).isDone) feed.noticed()
    done()
  })
  const note = noteWhoAsks({ store: (receivers) => noteReceivers(database, receivers), log, closing })
  revocations(app, { feed, note, tokens: mode === 'token' && token ? tokensOf(token) : undefined })
}
