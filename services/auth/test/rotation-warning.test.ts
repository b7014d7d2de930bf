import t from 'tap'
import { authConfig } from '../src/config.ts'
import { rotationWarning } from '../src/sessions/rotation-warning.ts'

const LEAST = {
  ISSUER: 'https://auth.example.com',
  AUDIENCE: 'latchkey',
  KEYS_DIR: './keys',
  DATABASE_URL: 'postgres://user@host/name'
}

/** Settings, and how the warning begins that they cause. */
const WARNINGS: [env: Record<string, string>, begins: string | undefined][] = [
  [{}, undefined],
  [{ REFRESH_TOKEN_ROTATION: 'off', REFRESH_REUSE_WINDOW: '0s' }, 'REFRESH_TOKEN_ROTATION is off'],
  [{ REFRESH_REUSE_WINDOW: '0s' }, 'REFRESH_REUSE_WINDOW is shorter than 5s'],
  [{ REFRESH_REUSE_WINDOW: '4999ms' }, 'REFRESH_REUSE_WINDOW is shorter than 5s'],
  [{ REFRESH_REUSE_WINDOW: '5s' }, undefined],
  [{ ANSWER_TIMEOUT: '30s' }, undefined],
  [{ ANSWER_TIMEOUT: '31s' }, 'REFRESH_REUSE_WINDOW is shorter than ANSWER_TIMEOUT'],
  [{ PASSWORD_TIMEOUT: '1m' }, 'REFRESH_REUSE_WINDOW is shorter than ANSWER_TIMEOUT'],
  [{ ACCESS_TOKEN_TTL: '31s' }, undefined],
  [{ ACCESS_TOKEN_TTL: '30s' }, 'REFRESH_REUSE_WINDOW is not shorter than ACCESS_TOKEN_TTL']
]

t.test(
  'the start warns of settings under which a theft is not noticed, or an honest client taken for a thief',
  async (t) => {
    for (const [env, begins] of WARNINGS) {
      const warning = rotationWarning(authConfig({ ...LEAST, ...env }))
      t.equal(warning?.slice(0, begins?.length), begins, JSON.stringify(env))
    }
  }
)
