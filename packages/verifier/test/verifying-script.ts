// What scripts-that-wait.test.ts runs as a process of its own.
import { createVerifier, openKeySet, Problem } from '../src/index.ts'

const { url, issuer, tokens, stuck } = JSON.parse(process.argv[2] ?? '')
const fetch: typeof globalThis.fetch = (_url, init) =>
  new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
const keys = await openKeySet({ url, cooldown: 1, timeout: 1, ...(stuck && { fetch }) })
const verifier = createVerifier({ issuer, audience: 'latchkey', keys })
for (const token of tokens) {
  const said = await verifier.verify(token).then(
    () => 'accepted',
    (error) => (error instanceof Problem ? error.code : String(error))
  )
  process.stdout.write(`${said}\n`)
}
