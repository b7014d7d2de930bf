/** What a mail is for. */
export type Purpose = keyof typeof PURPOSES

/** The mails that carry a code. */
export type CodePurpose = { [P in Purpose]: (typeof PURPOSES)[P] extends { code: string } ? P : never }[Purpose]

/** The mails that a stranger may ask for. */
export type AskedPurpose = 'verify_email' | 'reset_password'

interface Rule {
  /** Which setting says how long its code lives; nothing for a mail without a code. */
  readonly code?: 'verification' | 'reset' | 'invitation'
  /** The page of PUBLIC_URL where its code is entered. */
  readonly page?: 'verify-email' | 'reset-password'
  /** A warning, which nobody may use up: the limit of an address does not count if the address is verified. */
  readonly isWarning?: true
  /** For how long it is tried, in seconds. */
  readonly patience: number
}

const HOUR = 3600
const DAY = 24 * HOUR

/** The mails of this service. Somebody who asks for a reset waits for it now, so its mail is given up early. */
export const PURPOSES = {
  verify_email: { code: 'verification', page: 'verify-email', patience: DAY },
  sign_up: { code: 'verification', page: 'verify-email', patience: DAY },
  change_email: { code: 'verification', page: 'verify-email', patience: DAY },
  reset_password: { code: 'reset', page: 'reset-password', patience: HOUR },
  invitation: { code: 'invitation', page: 'reset-password', patience: DAY },
  address_taken: { patience: DAY },
  password_changed: { isWarning: true, patience: 3 * DAY },
  email_change_asked: { isWarning: true, patience: 3 * DAY },
  email_changed: { isWarning: true, patience: 3 * DAY }
} as const satisfies Record<string, Rule>

/** How long codes work, in seconds, from the sending of their mail. */
export interface CodeLives {
  readonly verification: number
  readonly reset: number
  readonly invitation: number
}

/** How long the code of a mail lives, in seconds; nothing for a mail without a code. */
export function codeLife(purpose: Purpose, lives: CodeLives): number | undefined {
  const rule: Rule = PURPOSES[purpose]
  return rule.code && lives[rule.code]
}

/** The most mails of a purpose to one account or address, in an hour and in a day: strangers can flood no mailbox. */
export const MOST_MAILS = { hour: 3, day: 10 }
