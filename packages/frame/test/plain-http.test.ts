import t from 'tap'
import { warnOfPlainHttp } from '../src/plain-http.ts'

function warningsOf(config: { NODE_ENV?: string; ISSUER?: string; JWKS_URL?: string | undefined }): string[] {
  const warnings: string[] = []
  const log = { warn: (message: string) => warnings.push(message) }
  warnOfPlainHttp({ NODE_ENV: 'production', ...config }, ['ISSUER', 'JWKS_URL'], log as never)
  return warnings
}

t.test('http: over a network is warned of, in one line for all settings', async (t) => {
  t.match(warningsOf({ ISSUER: 'http://auth.example.com' }), [/^ISSUER: http: is safe only where TLS ends in front/])
  const both = { ISSUER: 'http://192.0.2.1:9090', JWKS_URL: 'HTTP://[2001:db8::1]/jwks.json' }
  t.match(warningsOf(both), [/^ISSUER and JWKS_URL: /])
  for (const host of [
    'localhost.example.com',
    '127.example.com',
    '10.0.0.1',
    '[::]',
    '[::ffff:7f00:1]',
    '128.0.0.1',
    'xlocalhost.com'
  ]) {
    t.match(warningsOf({ ISSUER: `http://${host}` }), [/^ISSUER: /], host)
  }
})

t.test('https:, this machine, and names that only a network of its own knows are not', async (t) => {
  t.strictSame(warningsOf({ ISSUER: 'https://auth.example.com', JWKS_URL: undefined }), [])
  for (const host of [
    'localhost:9090',
    'LOCALHOST',
    'auth.localhost',
    '127.0.0.1',
    '127.8.9.10',
    '127.1',
    '[::1]:80',
    'auth',
    'auth:9090'
  ]) {
    t.strictSame(warningsOf({ ISSUER: `http://${host}` }), [], host)
  }
})

t.test('nor is anything in development', async (t) => {
  t.strictSame(warningsOf({ NODE_ENV: 'development', ISSUER: 'http://auth.example.com' }), [])
})
