import type { NodemailerError } from 'nodemailer'

/**
 * What a failed attempt means. `refused`: the server will never accept the mail. `wait`: it may accept the mail later,
 * as with greylisting. `pause`: the mail is not the cause, and the instance has to pause.
 */
export type Judgement = 'refused' | 'wait' | 'pause'

/** The steps of SMTP at which a server says something about one mail (RFC 5321 §4.1.1.3 and §4.1.1.4). */
const ABOUT_THE_MAIL = /^(RCPT TO|DATA)$/

/** Enhanced codes of security and policy (RFC 3463 §3.8), as from a server that does not relay for us yet. */
const POLICY = /^\d{3}[ -][45]\.7\.\d/

/**
 * Judges a failed attempt: a pure function, whose table is in docs/mail.md.
 *
 * A wrong password of the mail server, or an unknown sender, is a permanent error too. But it says nothing about the
 * mail: if mails were given up then, all would be lost until somebody corrects the settings.
 */
export function judge({ command, responseCode = 0, response = '' }: Partial<NodemailerError>): Judgement {
  if (!ABOUT_THE_MAIL.test(command ?? '') || responseCode < 400) return 'pause'
  return responseCode >= 500 && !POLICY.test(response) ? 'refused' : 'wait'
}

/** The codes of a failed attempt, without the text of the server, which may repeat the address. */
export function codesOf({ code, command, responseCode, response = '' }: Partial<NodemailerError>): string {
  const [, enhanced] = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response) ?? []
  return [code ?? 'unknown', command, responseCode, enhanced].filter(Boolean).join(' ')
}

/** Seconds until a mail that has to wait is tried again: 10, then three times as long each time. `random` is 0 to 1. */
export function waitOf(refusals: number, hasCode: boolean, random: number): number {
  const longest = hasCode ? 600 : 3600
  return Math.min(10 * 3 ** Math.min(refusals - 1, 10), longest) * (0.8 + 0.4 * random)
}

/** Seconds that an instance pauses after `times` pauses in a row: 1, then twice as long each time, at most 60. */
export function pauseOf(times: number): number {
  return Math.min(2 ** Math.min(times, 10), 60)
}
