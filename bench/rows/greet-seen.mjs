import { interleaved, load, rival } from '../measure.mjs'

/** GET /greet with tokens that were seen before, beside the same route without authentication. */
export async function greetSeen({ pair, rounds, seconds }) {
  const auth = await pair.startAuth({ DATABASE_URL: await pair.createDatabase() })
  const resource = await pair.startResource()
  const [bare, framed] = [await rival('bare'), await rival('framed')]
  const tokens = await pair.accessTokens(50)
  const rate = (/** @type {string} */ url) => async () =>
    (await load({ url, path: '/greet', tokens, connections: 20, duration: seconds })).rate
  try {
    for (const url of [resource.url, bare.said, framed.said]) await rate(url)()
    const { ours, ...others } = await interleaved(
      { ours: rate(resource.url), framed: rate(framed.said), bare: rate(bare.said) },
      rounds
    )
    const what = 'GET /greet, tokens seen before'
    return [
      {
        what,
        unit: 'requests/s',
        ours,
        beside: 'the same frame without authentication',
        other: others.framed,
        least: 0.85
      },
      { what, unit: 'requests/s', ours, beside: 'plain Fastify without authentication', other: others.bare }
    ]
  } finally {
    await Promise.all([resource, bare, framed, auth].map(({ stop }) => stop()))
  }
}
