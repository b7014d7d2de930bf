import { resolve } from 'node:path'
import { type Static, type TObject, Type } from 'typebox'
import { choice, duration, text, url } from './settings.ts'

const WHEN_CUT =
  'What happens to tokens that the feed does not name, while it was not read completely for FEED_BOUND: refuse answers 503 to all; recent accepts those that were issued within FEED_BOUND, and answers 401 to others; accept takes all, as without the feed. Required with FEED_URL: docs/revocation.md says when to choose which.'

/** The settings of a service that reads the revocation feed of its issuer. */
export const feedSettings = {
  FEED_URL: Type.Optional(
    url({
      description:
        'The revocation feed of the issuer, as in https://auth.example.com/revocations. With it, tokens are refused within a second after they have ended. Unset, they are accepted until they expire.'
    })
  ),
  FEED_WHEN_CUT: Type.Optional(choice(['refuse', 'recent', 'accept'], { description: WHEN_CUT })),
  FEED_BOUND: duration({
    minimum: 3,
    maximum: 86_400,
    default: '60s',
    description:
      'How old the knowledge of the feed may become before it counts as cut. With recent, each client refreshes its token so often while it is cut.'
  }),
  FEED_CACHE_FILE: Type.Optional(
    text({
      description:
        'File that keeps what the feed has told, so that a restart forgets nothing while the issuer is down. Unset, it is told again after each start.'
    })
  ),
  FEED_TOKEN: Type.Optional(
    text({
      file: true,
      pattern: '^[A-Za-z0-9._~+/-]{1,256}={0,2}$',
      description: 'The FEED_TOKEN of the auth service, one only. Unset, the feed has to be open.'
    })
  )
}

/** The settings of the feed, as they are read. */
export type FeedConfig = Static<TObject<typeof feedSettings>>

/** Says what the settings of the feed lack together. */
export function faultsOfFeed(config: FeedConfig & { JWKS_CACHE_FILE?: string; JWKS_FILE?: string }): string[] {
  const { FEED_URL: url, FEED_WHEN_CUT: whenCut, FEED_CACHE_FILE: cache } = config
  const alone = (['FEED_WHEN_CUT', 'FEED_TOKEN', 'FEED_CACHE_FILE'] as const).filter(
    (name) => config[name] !== undefined
  )
  const other = (['JWKS_CACHE_FILE', 'JWKS_FILE'] as const).find(
    (name) => cache && config[name] && resolve(cache) === resolve(config[name])
  )
  return [
    ...(url !== undefined && whenCut === undefined ? [`FEED_WHEN_CUT is not set. ${WHEN_CUT}`] : []),
    ...(url === undefined && alone.length > 0
      ? [`FEED_URL is not set, and ${alone.join(', ')} needs it: without it no feed is read.`]
      : []),
    ...(other ? [`FEED_CACHE_FILE must not be ${other}, which would be written over: name another file.`] : [])
  ]
}

/** What `openFeed` of the verifier takes besides its log. `bound` in seconds. */
export interface FeedPlace {
  readonly url: string
  readonly whenCut: 'refuse' | 'recent' | 'accept'
  readonly bound: number
  readonly cacheFile?: string
  readonly token?: string
}

/** Where the revocation feed of the settings is, and how it is read; nothing if they name none. */
export function feedPlace(config: FeedConfig): FeedPlace | undefined {
  const { FEED_URL, FEED_WHEN_CUT, FEED_BOUND, FEED_CACHE_FILE, FEED_TOKEN } = config
  if (FEED_URL === undefined || FEED_WHEN_CUT === undefined) return undefined
  return {
    url: FEED_URL,
    whenCut: FEED_WHEN_CUT,
    bound: FEED_BOUND,
    ...(FEED_CACHE_FILE && { cacheFile: FEED_CACHE_FILE }),
    ...(FEED_TOKEN && { token: FEED_TOKEN })
  }
}
