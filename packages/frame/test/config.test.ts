import { join } from 'node:path'
import t from 'tap'
import { Type } from 'typebox'
import { ConfigError, frameSettings, readConfig } from '../src/config.ts'
import { duration, text } from '../src/settings.ts'

const settings = Type.Object({
  NAME: text({ description: 'A name.' }),
  LIFE: duration({ default: '2m', description: 'A life.' }),
  EXTRA: Type.Optional(text({ description: 'An extra.' })),
  SECRET: text({ file: true, pattern: '^\\S+$', description: 'A secret.' })
})
const LEAST = { NAME: 'x', SECRET: 'canary' }

/** What is complained of. */
function problems(env: Record<string, string | undefined>, more?: string[]): readonly string[] {
  try {
    readConfig(settings, env, more)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('settings are read from the environment, with defaults, and cannot be changed after', async (t) => {
  const config = readConfig(settings, { ...LEAST, LIFE: '3s', PATH: '/bin' })
  t.strictSame(config, { NAME: 'x', LIFE: 3, SECRET: 'canary' })
  t.equal(Object.isFrozen(config), true)
  t.strictSame(readConfig(settings, LEAST).LIFE, 120)
})

t.test('empty counts as unset', async (t) => {
  t.strictSame(readConfig(settings, { ...LEAST, LIFE: '', EXTRA: '', SECRET_FILE: '' }), {
    NAME: 'x',
    LIFE: 120,
    SECRET: 'canary'
  })
  t.strictSame(problems({ NAME: '', SECRET: '' }), ['NAME is not set. A name.', 'SECRET is not set. A secret.'])
})

t.test('all that is wrong is said at once, and none of it is repeated, for it may be secret', async (t) => {
  const wrong = { LIFE: 'canary', SECRET: 'canary canary' }
  const said = problems(wrong, ['This was found before.'])
  t.strictSame(said, [
    'This was found before.',
    'NAME is not set. A name.',
    'LIFE must be a whole number and ms, s, m, h or d, from 0s to 1d. A life.',
    'SECRET must match pattern "^\\S+$". A secret.'
  ])
  t.throws(() => readConfig(settings, wrong), {
    name: 'ConfigError',
    message: /^cannot start, .+:\n {2}NAME is not set/
  })
})

t.test('what the caller found is enough not to start', async (t) => {
  t.strictSame(problems(LEAST, ['This was found before.']), ['This was found before.'])
})

t.test('a setting made so may come from a file, without the white space around it', async (t) => {
  const dir = t.testdir({ secret: '  from-a-file\n', empty: '\n', bad: 'two words' })
  const from = (file: string) => ({ NAME: 'x', SECRET_FILE: join(dir, file) })
  t.equal(readConfig(settings, from('secret')).SECRET, 'from-a-file')
  t.equal(readConfig(settings, { ...from('secret'), SECRET: 'canary' }).SECRET, 'canary', 'the setting itself wins')
  t.strictSame(problems(from('none')), ['SECRET_FILE names a file that cannot be read (ENOENT).'])
  t.strictSame(problems(from('.')), ['SECRET_FILE names a file that cannot be read (EISDIR).'])
  t.strictSame(problems(from('empty')), ['SECRET_FILE names an empty file: write the value into it, or unset it.'])
  t.match(problems(from('bad')), [/^SECRET must match/])
  t.strictSame(
    problems({ ...LEAST, NAME: undefined, NAME_FILE: join(dir, 'secret') }),
    ['NAME is not set. A name.'],
    'others may not'
  )
})

t.test('the frame has its own settings', async (t) => {
  const frame = Type.Object(frameSettings)
  t.strictSame(readConfig(frame, {}), {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    KEEP_ALIVE_TIMEOUT: 72
  })
  const all = {
    NODE_ENV: 'development',
    HOST: '::',
    LOG_LEVEL: 'warn',
    KEEP_ALIVE_TIMEOUT: '620s',
    TRUST_PROXY: '10.0.0.1',
    CORS_ORIGINS: 'https://a'
  }
  t.strictSame(readConfig(frame, all), {
    ...all,
    KEEP_ALIVE_TIMEOUT: 620,
    TRUST_PROXY: ['10.0.0.1'],
    CORS_ORIGINS: ['https://a']
  })
  t.throws(() => readConfig(frame, { NODE_ENV: 'test' }), {
    message: /NODE_ENV must be .+: production, development\. /
  })
})
