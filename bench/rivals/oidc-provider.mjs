// node-oidc-provider over node:http with its rows in PostgreSQL, as its documentation asks for in production: a public
// client whose refresh tokens are rotated, and access tokens as RS256 JWTs. `POST /begin` makes tokens, in place of a
// browser that signs in.
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Provider from 'oidc-provider'
import pg from 'pg'

const { DATABASE_URL, KEY_FILE = '', PORT } = process.env
const url = `http://127.0.0.1:${PORT}`
const CLIENT = 'bench'
const RESOURCE = 'https://api.example.com'
const SCOPE = 'openid offline_access'
const database = new pg.Pool({ connectionString: DATABASE_URL })
await database.query(`
  CREATE TABLE IF NOT EXISTS stored (
    model text, id text, payload jsonb NOT NULL, grant_id text, uid text, expires_at timestamptz, consumed_at bigint,
    PRIMARY KEY (model, id)
  );
  CREATE INDEX IF NOT EXISTS stored_grant_id ON stored (grant_id)`)

/** Where the provider keeps its objects of one model. */
class Stored {
  /** @param {string} model */
  constructor(model) {
    this.model = model
  }

  async upsert(id, payload, expiresIn) {
    await database.query({
      name: 'upsert',
      text: `INSERT INTO stored VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
        ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
      values: [this.model, id, payload, payload.grantId, payload.uid, expiresIn]
    })
  }

  async find(id) {
    const text =
      'SELECT payload, consumed_at FROM stored WHERE model = $1 AND id = $2 AND (expires_at > now()) IS NOT FALSE'
    const { rows } = await database.query({ name: 'find', text, values: [this.model, id] })
    return rows[0] && { ...rows[0].payload, ...(rows[0].consumed_at && { consumed: Number(rows[0].consumed_at) }) }
  }

  async consume(id) {
    const text = 'UPDATE stored SET consumed_at = extract(epoch FROM now()) WHERE model = $1 AND id = $2'
    await database.query({ name: 'consume', text, values: [this.model, id] })
  }

  async destroy(id) {
    const text = 'DELETE FROM stored WHERE model = $1 AND id = $2'
    await database.query({ name: 'destroy', text, values: [this.model, id] })
  }

  async revokeByGrantId(grantId) {
    await database.query({ name: 'revoke', text: 'DELETE FROM stored WHERE grant_id = $1', values: [grantId] })
  }
}

const privateKey = createPrivateKey(readFileSync(KEY_FILE))
const provider = new Provider(url, {
  adapter: Stored,
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
  clients: [
    {
      client_id: CLIENT,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${url}/back`],
      scope: SCOPE
    }
  ],
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPE,
        audience: RESOURCE,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } }
      })
    }
  },
  rotateRefreshToken: true,
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) })
})

provider.use(async (context, next) => {
  if (context.path !== '/begin') return next()
  const people = Array.from({ length: Number(context.query.count) }, (_, i) => begin(`person${i}`))
  context.body = await Promise.all(people)
})

/** A refresh token, and an access token for the provider's own userinfo endpoint. @param {string} accountId */
async function begin(accountId) {
  const client = await provider.Client.find(CLIENT)
  const grant = new provider.Grant({ accountId, clientId: CLIENT })
  grant.addOIDCScope(SCOPE)
  grant.addResourceScope(RESOURCE, SCOPE)
  const mine = { accountId, client, grantId: await grant.save(), gty: 'authorization_code' }
  const now = Math.floor(Date.now() / 1000)
  const refresh = new provider.RefreshToken({
    ...mine,
    scope: 'offline_access',
    resource: RESOURCE,
    rotations: 0,
    iiat: now
  })
  const access = new provider.AccessToken({ ...mine, scope: 'openid' })
  return { refresh: await refresh.save(), access: await access.save() }
}

process.once('disconnect', () => process.exit())
provider.listen(Number(PORT), '127.0.0.1', () => process.send?.(url))
