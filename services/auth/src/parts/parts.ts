import type { Refusals } from '@latchkey/audit/refusals'
import type { Database } from '@latchkey/database/pool'
import type { ActingOf } from '../guards/acting.ts'
import type { FindGenuine } from '../guards/genuine.ts'
import type { Guards } from '../guards/guards.ts'
import type { Cookies } from '../guards/token-cookies.ts'
import type { RequestLimit } from '../limits/requests.ts'
import type { Outbox } from '../mail/outbox.ts'
import type { Passwords } from '../passwords/hashing.ts'
import type { ResourceParameter } from '../sessions/audience.ts'
import type { RefreshSettings } from '../sessions/rotation.ts'
import type { SessionLife } from '../sessions/rows.ts'
import type { TokenIssuer } from '../sessions/tokens.ts'

/** When cookies are renewed. */
interface Renewal {
  /** How long before its expiry an access cookie is renewed, in seconds. */
  readonly window: number
  /** The present, in milliseconds since 1970. */
  readonly now: () => number
}

/** The parts that endpoints need; each takes its `Pick`. */
export interface Parts {
  readonly database: Database
  readonly actingOf: ActingOf
  /** Where what changes nothing is recorded. */
  readonly refusals: Refusals
  readonly passwords: Passwords
  /** Least length of a new password, in code points. */
  readonly minLength: number
  readonly tokens: TokenIssuer
  readonly life: SessionLife
  readonly refresh: RefreshSettings
  /** The parameter of login and refresh that chooses the audience of the access token. */
  readonly resource: ResourceParameter
  readonly guards: Guards
  readonly cookies: Cookies
  readonly findGenuine: FindGenuine
  readonly renewal: Renewal
  readonly limit: RequestLimit
  readonly outbox: Outbox
  /** Nobody has an account, or logs in, before the code of a mail was entered. */
  readonly requireVerified: boolean
  /** Who may have an account. */
  readonly signup: 'open' | 'invited' | 'closed'
}
