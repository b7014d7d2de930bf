// What npm pack does before it packs packages/verifier: builds it, and lets npm find the tokens that travel inside.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { build } from './build.mjs'
import { root } from './command.mjs'

await build()
// npm takes what is bundled from the package's own node_modules alone, and workspaces are linked in the root's.
const link = path.join(root, 'packages/verifier/node_modules/@latchkey/tokens')
mkdirSync(path.dirname(link), { recursive: true })
rmSync(link, { force: true })
symlinkSync('../../../tokens', link)
