import { loadRefreshes } from '../loads.mjs'
import { interleaved, load } from '../measure.mjs'
import { openPeers } from '../peers.mjs'
import { accessTokens, createPeople } from '../people.mjs'

const PEOPLE = 32

/** What has a counterpart in node-oidc-provider, beside it. No bars: the two do not do the same. */
export async function oidcProvider({ pair, rounds, seconds, quick }) {
  const database = await createPeople(pair, PEOPLE)
  const auth = await pair.startAuth(database)
  const resource = await pair.startResource()
  const other = await (await openPeers(pair)).oidcProvider()
  const warm = quick ? 1 : 3

  const same = { connections: 16, duration: seconds }
  const found = await interleaved(
    {
      refresh: () => loadRefreshes({ ...same, pair, database, auth, sessions: PEOPLE }),
      token: async () => {
        const tokens = (await begin(other.url)).map(({ refresh }) => refresh)
        const form = { grant_type: 'refresh_token', client_id: 'bench' }
        return load({ ...same, url: other.url, path: '/token', method: 'POST', tokens, chain: true, form })
      }
    },
    { warm, rounds }
  )

  const [ours, theirs] = [await accessTokens(pair, PEOPLE), (await begin(other.url)).map(({ access }) => access)]
  const seen = await interleaved(
    {
      greet: () => load({ ...same, url: resource.url, path: '/greet', tokens: ours }),
      userinfo: () => load({ ...same, url: other.url, path: '/me', tokens: theirs })
    },
    { warm, rounds }
  )
  await Promise.all([auth.stop(), resource.stop(), other.stop()])
  return [
    {
      what: 'POST /refresh-token: two tokens, rotated',
      unit: 'requests/s',
      ours: found.refresh,
      beside: 'node-oidc-provider POST /token: one JWT, rotated',
      other: found.token
    },
    {
      what: 'GET /greet: verified offline',
      unit: 'requests/s',
      ours: seen.greet,
      beside: 'node-oidc-provider GET /me: its token is looked up in its database',
      other: seen.userinfo
    }
  ]
}

/**
 * @param {string} url of node-oidc-provider
 * @returns {Promise<{ refresh: string, access: string }[]>} tokens of so many new sessions
 */
async function begin(url) {
  const answer = await fetch(`${url}/begin?count=${PEOPLE}`, { method: 'POST' })
  if (!answer.ok) throw new Error(`node-oidc-provider makes no tokens: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
