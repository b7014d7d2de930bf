import { readFileSync } from 'node:fs'
import type { Reader } from './open.ts'

/** Makes the reader of `latchkey_build_info`. */
export function buildInfo(commit: string): Reader {
  // All packages of this repository have one version.
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const labels = { version, commit, node: process.version }
  return (set) => set('latchkey_build_info', 1, labels)
}
