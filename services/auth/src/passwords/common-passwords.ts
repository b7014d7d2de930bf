import { dictionary } from '@zxcvbn-ts/language-common'

/**
 * The common passwords, each in lower case and between line ends: 0.4 MB, in which a search takes at most 0.3 ms. A
 * bundle reads them from a file of its own, which `scripts/bundle.mjs` makes by running this one.
 */
export const COMMON_PASSWORDS: Buffer = Buffer.from(
  `\n${[...new Set(dictionary['passwords-common'].map((word) => String(word).toLowerCase()))].sort().join('\n')}\n`
)
