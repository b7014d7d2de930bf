// The snippets for services of docs/verify-elsewhere.md, each run with the tokens of a real auth service.
import t from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { uncheckedByPage } from './snippets.ts'
import { AUDIENCE, startIssuer, USERNAME } from './tokens.ts'
import { isInstalled, startSnippet } from './tools.ts'

/** By the name that the page's last table has: the tool that runs it, and the file. */
const SERVERS: Record<string, readonly [tool: string, file: string]> = {
  jose: ['node', 'jose.mjs'],
  Express: ['node', 'express.mjs'],
  Hono: ['node', 'hono.mjs'],
  'golang-jwt': ['go', 'golang-jwt.go'],
  'go-oidc': ['go', 'go-oidc.go'],
  PyJWT: ['python', 'pyjwt.py'],
  Authlib: ['python', 'with-authlib.py'],
  'Spring Boot': ['java', 'SpringGreeter.java'],
  Nimbus: ['java', 'NimbusGreeter.java'],
  jsonwebtoken: ['rust', 'main.rs']
}

const issuer = await startIssuer(t)

for (const [name, [tool, file]] of Object.entries(SERVERS)) {
  const skip = isInstalled(tool) ? false : `test/interop/install.sh has not installed ${tool}`
  t.test(`${name} greets the user of a good token, and refuses what an attacker can make`, { skip }, async (t) => {
    const port = await freePort()
    await startSnippet(t, tool, file, { ISSUER: issuer.url, AUDIENCE, PORT: String(port) })
    const ask = async (headers: Record<string, string> = {}) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers })
      return { status: answer.status, text: await answer.text() }
    }
    const show = (token: string) => ask({ authorization: `Bearer ${token}` })

    t.same(await show(issuer.access), { status: 200, text: `Hello, ${USERNAME}!` })
    t.match((await ask()).status, /^40[01]$/, 'without a token')
    for (const [what, token] of Object.entries(issuer.attacks)) t.equal((await show(token)).status, 401, what)

    const accepted: string[] = []
    for (const [what, token] of Object.entries(issuer.oddities)) {
      if ((await show(token)).status === 200) accepted.push(what)
    }
    t.equal(accepted.join(', ') || 'nothing of these', uncheckedByPage().get(name))
  })
}
