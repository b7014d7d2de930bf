// What npm pack does before it packs packages/verifier: builds it. What is packed names no other package of ours.
import { build } from './build.mjs'

await build()
