// npm pack runs this first in packages/verifier. It builds the package, so that the tarball names no other package of
// this repository.
import { build } from './build.mjs'

await build()
