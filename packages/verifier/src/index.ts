// The public interface; the only file that re-exports.

export type { ResourceProblemCode as ProblemCode } from '@latchkey/problems/codes'
export { Problem } from '@latchkey/problems/problem'
export type { AccessClaims } from '@latchkey/tokens/claims'
export type { KeySet, KeySetLog, KeySetStatus } from './key-set.ts'
export { type KeySetOptions, openKeySet } from './open-key-set.ts'
export { createVerifier, type VerifiedToken, type Verifier, type VerifierOptions } from './verifier.ts'
