// What other packages import: the one file that only hands on.
export type { AccessClaims } from '@latchkey/tokens/claims'
export { Problem, type ProblemCode } from '@latchkey/tokens/errors'
export type { KeySet, KeySetLog, KeySetStatus } from './key-set.ts'
export { type KeySetOptions, openKeySet } from './open-key-set.ts'
export { createVerifier, type VerifiedToken, type Verifier, type VerifierOptions } from './verifier.ts'
