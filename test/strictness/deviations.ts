import type { Kind } from '@latchkey/tokens/claims'
import { algorithms } from './algorithms.ts'
import { claims } from './claims.ts'
import { accepted, type Deviation, forge } from './deviation.ts'
import { forms } from './forms.ts'
import { headers } from './headers.ts'
import { signatures } from './signatures.ts'

/** Every deviation of a kind, begun with the good token itself: security.md section 1, each row that applies. */
export function deviations(kind: Kind): readonly Deviation[] {
  return [
    accepted('no deviation at all', (good) => forge(good, {})),
    ...algorithms,
    ...signatures,
    ...headers(kind),
    ...claims(kind),
    ...forms
  ]
}
