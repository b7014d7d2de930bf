// Loaded before each test: what imports @latchkey/verifier gets its sources. The other packages have a condition for that in their
// package.json; the verifier's is for others too, and says nothing of sources that it does not have.
import { register } from 'node:module'

const hooks = `
export const resolve = (specifier, context, next) => {
  const [found, path = 'index'] = /^@latchkey\\/verifier(?:\\/(.+))?$/.exec(specifier) ?? []
  return next(found ? new URL(path + '.ts', ${JSON.stringify(new URL('../packages/verifier/src/', import.meta.url))}).href : specifier, context)
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
