// npm run build; npm pack runs it too, first in packages/verifier. It builds that package so that the tarball names no other package
// of this repository.
import { build } from './build.mjs'

await build()
