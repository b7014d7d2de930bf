// npm publish runs this first in packages/verifier. It refuses if package.json names another repository than the one
// that this checkout came from: npm shows that address to everybody, and signs where a package was built.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isSameRepository } from './repository.mjs'

const { repository } = JSON.parse(readFileSync('package.json', 'utf8'))
const origin = execFileSync('git', ['remote', 'get-url', 'origin'], { encoding: 'utf8' }).trim()
if (!isSameRepository(repository.url, origin)) {
  console.error(`publish: repository.url of package.json is ${repository.url}, but this checkout came from ${origin}.`)
  console.error('Correct it, so that npm sends people to the source and not to somebody else.')
  process.exitCode = 1
}
