import type { Queryable } from '@latchkey/database/pool'

/** The streams, as this instance knows them. */
export interface KnownStreams {
  /** The hash of the token of a stream whose receiver polls; nothing if there is none of this id. */
  hashOf(id: string): Promise<Buffer | undefined>
  /** Whether there is a stream. */
  any(): Promise<boolean>
}

/** What was read may be so old where a stream is there, and where it is missing: it may just have been added. In milliseconds. */
const OLDEST = { found: 1000, missing: 100 }

type Streams = ReadonlyMap<string, Buffer | null>

/**
 * Reads the streams at most ten times a second, however often strangers ask: there are few, and all are read at once. `now` is a clock
 * that only goes forward, in milliseconds.
 */
export function knownStreams(database: Queryable, now: () => number = performance.now.bind(performance)): KnownStreams {
  let known: { streams: Promise<Streams>; at: number } | undefined

  function read(age: number): Promise<Streams> {
    if (known && now() - known.at < age) return known.streams
    const reading = { streams: readStreams(database), at: now() }
    known = reading
    // A failure is nobody else's.
    reading.streams.catch(() => {
      if (known === reading) known = undefined
    })
    return reading.streams
  }

  return {
    hashOf: async (id) => (await read(OLDEST.found)).get(id) ?? (await read(OLDEST.missing)).get(id) ?? undefined,
    any: async () => (await read(OLDEST.found)).size > 0 || (await read(OLDEST.missing)).size > 0
  }
}

async function readStreams(database: Queryable): Promise<Streams> {
  const rows = await database.query<{ id: string; hash: Buffer | null }>(
    "/* streams_known */ SELECT id, CASE WHEN method = 'poll' THEN bearer_hash END AS hash FROM signal_streams",
    []
  )
  return new Map(rows.map(({ id, hash }) => [id, hash]))
}
