import { choice, integer, text } from '@latchkey/frame/settings'
import { type Static, type TObject, Type } from 'typebox'

/** Most tokens at once: the one in use and the next. */
const MOST_TOKENS = 2

// What a bearer token may consist of (RFC 6750 §2.1). 32 characters of random base64 are 192 bits.
const A_TOKEN = /^[A-Za-z0-9._~+/-]{32,256}={0,2}$/

/** The settings of the revocation feed. */
export const feedSettings = {
  REVOCATION_FEED: choice(['off', 'open', 'token'], {
    default: 'off',
    description:
      'Whether GET /revocations tells resource services which access tokens are good no more, before they expire. open: everybody may ask, which is only for your own machine: who knows the id of a user sees that something ended for them. token: who has FEED_TOKEN. docs/revocation.md.'
  }),
  FEED_TOKEN: Type.Optional(
    text({
      file: true,
      check: faultOfTokens,
      description:
        'What resource services show at GET /revocations as Authorization: Bearer; at least 32 random characters, as of openssl rand -base64 33. Two with a comma while it is changed: both are accepted.'
    })
  ),
  FEED_WAITING: integer({
    minimum: 1,
    maximum: 100_000,
    default: '1000',
    description:
      'How many questions for revocations may wait at each instance; one more is answered at once, with Retry-After, and so asks more often. One client address (IPv6: one /64) has a quarter of them, and 20 where the feed is open.'
  })
}

type FeedConfig = Static<TObject<typeof feedSettings>>

/** Says what the settings of the feed lack together. */
export function faultsOfFeed({ REVOCATION_FEED: mode, FEED_TOKEN: token }: FeedConfig): string[] {
  const missing = 'FEED_TOKEN is not set, and REVOCATION_FEED=token needs it: openssl rand -base64 33 makes one.'
  const unused =
    'REVOCATION_FEED is open, and FEED_TOKEN is set: set REVOCATION_FEED=token, or everybody may read the feed.'
  return [mode === 'token' && !token && missing, mode === 'open' && token && unused].filter((line) =>
    Boolean(line)
  ) as string[]
}

/** The tokens of a FEED_TOKEN. */
export function tokensOf(setting: string): string[] {
  return setting.split(',').map((token) => token.trim())
}

function faultOfTokens(setting: string): string | undefined {
  const tokens = tokensOf(setting)
  if (tokens.length > MOST_TOKENS) return `has ${tokens.length} tokens: two at most, with a comma between them`
  if (tokens.every((token) => A_TOKEN.test(token))) return undefined
  return 'must be a token of 32 to 256 letters, digits and -._~+/, or two with a comma between them'
}
