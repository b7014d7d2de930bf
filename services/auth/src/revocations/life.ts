import type { Queryable } from '@latchkey/database/pool'

/**
 * How long an entry is told beyond the life of an access token, in seconds: the longest leeway of a verifier, and a
 * minute. Of everybody's end a second leeway, because its time lies so far ahead.
 */
const MARGIN = 660

// A scalar, so that an index on sealed_at can be used.
const LIFE = `(SELECT make_interval(secs => access_life + ${MARGIN}) FROM feed_head)`

/** Seconds until the row `r` is of no use any more: from then on all tokens that it refuses have expired. */
export const SECONDS_LEFT = `ceil(extract(epoch FROM r.sealed_at + ${LIFE} - now()))::integer`

/** The condition of a row `r` that is of no use any more. */
export const HAS_ENDED = `r.sealed_at < now() - ${LIFE}`

/** How long an announced life counts beyond itself, in seconds: longer than the time until the next announcement. */
const AHEAD = 300

/**
 * Tells the feed how long the access tokens of this instance live, in seconds. Entries are kept for the longest life of
 * all instances; a shorter one counts when the tokens of the longer one have expired.
 *
 * To be called before the first token is signed, and each minute at least. It writes only what changes.
 */
export async function announceLife(database: Queryable, accessLife: number): Promise<void> {
  await database.query(
    `/* revocation_life_announce */ UPDATE feed_head SET access_life = $1, access_life_until = now() + make_interval(secs => $1 + ${2 * AHEAD})
      WHERE access_life < $1 OR access_life_until < now()
         OR (access_life = $1 AND access_life_until < now() + make_interval(secs => $1 + ${AHEAD}))`,
    [accessLife]
  )
}
