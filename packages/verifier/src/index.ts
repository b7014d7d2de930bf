// The public interface; the only file that re-exports.

export type { ResourceProblemCode as ProblemCode } from '@latchkey/problems/codes'
export { Problem } from '@latchkey/problems/problem'
export type { AccessClaims } from '@latchkey/tokens/claims'
export { type OwnSites, requireOwnSite, type SiteRequest } from '@latchkey/tokens/cross-site'
export type { KeySet, KeySetLog, KeySetStatus } from './key-set.ts'
export { type KeySetOptions, openKeySet } from './open-key-set.ts'
export { type CookieOptions, fromCookie, fromHeader, fromHeaderOrCookie, type TokenFrom } from './token-from.ts'
export { createVerifier, type VerifiedToken, type Verifier, type VerifierOptions } from './verifier.ts'
