import { isOwnSite, requireOwnSite } from '@latchkey/tokens/cross-site'
import t from 'tap'

const LISTED = 'https://app.example.com'
const OWN = 'https://auth.example.com'
const SITES = { issuer: `${OWN}/base`, origins: [LISTED, 'http://localhost:3000', 'capacitor://localhost'] }

type Values = string | readonly string[] | undefined
const ABSENT = undefined

/** What a browser, or something else, sends; and whether it may act by cookie. The numbers are the rows of the rule. */
const ROWS: [row: number, origin: Values, site: Values, passes: boolean, ...host: Values[]][] = [
  [1, LISTED, 'cross-site', true],
  [1, LISTED, 'same-site', true],
  [1, LISTED, ABSENT, true],
  [1, LISTED, ['same-site', 'cross-site'], true],
  [1, 'capacitor://localhost', ABSENT, true],
  [1, 'http://localhost:3000', 'cross-site', true],

  [2, OWN, 'same-origin', true],
  [2, 'null', 'same-origin', true],
  [2, ABSENT, 'same-origin', true],
  [2, ABSENT, 'none', true],
  [2, 'https://evil.example', 'none', true],
  [2, [OWN, OWN], 'same-origin', true],

  [3, OWN, 'same-site', false],
  [3, OWN, 'cross-site', false],
  [3, 'null', 'cross-site', false],
  [3, ABSENT, 'same-site', false],
  [3, ABSENT, 'cross-site', false],
  [3, 'https://blog.example.com', 'same-site', false],
  [3, 'https://app.example.com:8443', 'same-site', false],
  [3, OWN, '', false],
  [3, OWN, 'Same-Origin', false],
  [3, OWN, 'same-origin, cross-site', false],
  [3, OWN, ['same-origin', 'same-origin'], false],
  [3, ABSENT, ['none', 'none'], false],
  [3, [LISTED, LISTED], 'same-site', false],

  [4, ABSENT, ABSENT, true],
  [4, ABSENT, ABSENT, true, ABSENT],

  [5, OWN, ABSENT, true],
  [5, OWN, ABSENT, true, 'internal:9090'],
  [5, `${OWN}:443`, ABSENT, true, 'internal:9090'],
  [5, 'https://AUTH.example.com', ABSENT, true, 'internal:9090'],
  [5, 'http://192.0.2.7:9090', ABSENT, true, '192.0.2.7:9090'],
  [5, 'http://auth.lan', ABSENT, true, 'AUTH.LAN'],
  [5, 'http://auth.lan', ABSENT, true, 'auth.lan:80'],
  [5, 'http://[::1]:9090', ABSENT, true, '[::1]:9090'],

  [6, 'null', ABSENT, false],
  [6, '', ABSENT, false],
  [6, [OWN, OWN], ABSENT, false],
  [6, [LISTED, OWN], ABSENT, false],
  [6, 'https://evil.example', ABSENT, false],
  [6, 'https://auth.example.com.evil.example', ABSENT, false],
  [6, 'https://auth.example.com@evil.example', ABSENT, false, 'evil.example.com'],
  [6, 'https://evil.example/?https://auth.example.com', ABSENT, false],
  [6, 'http://auth.lan:8080', ABSENT, false, 'auth.lan'],
  [6, 'http://auth.lan', ABSENT, false, 'auth.lan:8080'],
  [6, 'http://auth.lan', ABSENT, false, 'auth.lan:443'],
  [6, 'http://blog.lan', ABSENT, false, 'auth.lan'],
  [6, 'http://auth.lan', ABSENT, false, ['auth.lan', 'auth.lan']],
  [6, 'http://auth.lan', ABSENT, false, ABSENT],
  [6, 'http://auth.lan', ABSENT, false, ''],
  [6, 'http://auth.lan', ABSENT, false, 'user@auth.lan'],
  [6, 'http://auth.lan', ABSENT, false, 'auth.lan/path'],
  [6, 'http://auth.lan/', ABSENT, false, 'auth.lan'],
  [6, 'capacitor://localhost.evil', ABSENT, false],
  [6, 'file://', ABSENT, false, ''],
  [6, 'auth.example.com', ABSENT, false],
  [6, 'chrome-extension://auth.example.com', ABSENT, false]
]

function lines(name: string, values: Values): string[] {
  return [values ?? []].flat().flatMap((value) => [name, value])
}

for (const [row, origin, site, passes, ...hosts] of ROWS) {
  const host = hosts.length > 0 ? hosts[0] : 'auth.example.com'
  const shown = `${JSON.stringify(origin)} and ${JSON.stringify(site)} at ${JSON.stringify(host)}`
  t.test(`row ${row}: ${shown} ${passes ? 'may' : 'may not'} act by cookie`, async (t) => {
    const rawHeaders = [...lines('Host', host), ...lines('Sec-Fetch-Site', site), ...lines('origin', origin)]
    t.equal(isOwnSite(rawHeaders, SITES), passes)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', undefined]) {
      const ask = () => requireOwnSite({ method, rawHeaders }, SITES)
      if (passes) t.doesNotThrow(ask, String(method))
      else t.throws(ask, { name: 'Problem', code: 'cross_site' }, String(method))
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS']) t.doesNotThrow(() => requireOwnSite({ method, rawHeaders }, SITES))
  })
}

t.test('without listed origins only pages of the own host may', async (t) => {
  const sites = { issuer: OWN, origins: [] }
  t.equal(isOwnSite(['Host', 'auth.example.com', 'Origin', LISTED], sites), false)
  t.equal(isOwnSite(['Host', 'auth.example.com', 'Origin', OWN], sites), true)
})
