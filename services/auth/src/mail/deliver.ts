import type { Database } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import { tellOwner } from './intake.ts'
import { codesOf, judge, waitOf } from './judge.ts'
import type { Writer } from './letters.ts'
import { mayGoTo } from './mailboxes.ts'
import type { Pauses } from './pauses.ts'
import { type CodeLives, codeLife } from './purposes.ts'
import { type Addressed, addressMail, type ClaimedMail, findAddress, finishMail, postponeMail } from './queue.ts'
import type { Transport } from './transport.ts'

/** What the delivery of a mail needs. */
export interface DeliveryParts {
  readonly database: Database
  readonly transport: Transport
  readonly write: Writer
  readonly lives: CodeLives
  readonly pauses: Pauses
  readonly log: EventLog
}

/** Longest time of one attempt, in milliseconds. A server that sends byte by byte never reaches the limit of a step. */
const LONGEST_SEND = 45_000

/** How long a running attempt may go on when the service stops, in milliseconds. */
const AT_THE_STOP = 5000

/** If a mail that has waited for so long fails again, the log warns of it. In seconds. */
const LONG = 600

/**
 * Delivers a mail that was claimed: makes its code, sends it, and writes the outcome. Rejects only if the database
 * cannot be used; then the mail is due again when its lease ends.
 */
export async function deliver(parts: DeliveryParts, mail: ClaimedMail, stopping: AbortSignal): Promise<void> {
  const { database, log } = parts
  if (mail.late) {
    if (await finishMail(database, mail, { outcome: 'late' })) emit(log, 'mail_late', namesOf(mail))
    return
  }
  const addressed = await address(parts, mail)
  if (addressed) return send(parts, mail, addressed, stopping)
  if (mail.purpose === 'change_email') await tellOwner(database, mail)
  if (await finishMail(database, mail, { outcome: 'dropped' })) emit(log, 'mail_dropped', namesOf(mail))
}

// Nothing if the mail is not wanted any more, or too many have gone to its address. The limit comes before the code: a
// mail that does not go replaces no code.
async function address({ database, lives }: DeliveryParts, mail: ClaimedMail): Promise<Addressed | undefined> {
  const to = await findAddress(database, mail)
  if (to === undefined) return undefined
  if (mail.limited && !(await mayGoTo(database, mail, to, lives.reset))) return undefined
  const life = codeLife(mail.purpose, lives)
  return life === undefined ? { to } : addressMail(database, mail, life)
}

async function send(parts: DeliveryParts, mail: ClaimedMail, addressed: Addressed, stopping: AbortSignal) {
  const { database, transport, write, pauses, log } = parts
  const { id, purpose } = mail
  const end = endOf(stopping)
  try {
    await transport.send({ id, purpose, to: addressed.to, ...write(purpose, addressed) }, end.signal)
  } catch (error) {
    return fail(parts, mail, error as object, stopping)
  } finally {
    end.release()
  }
  pauses.end()
  if (await finishMail(database, mail, { outcome: 'sent' })) emit(log, 'mail_sent', namesOf(mail))
}

async function fail(
  { database, lives, pauses, log }: DeliveryParts,
  mail: ClaimedMail,
  error: object,
  stopping: AbortSignal
): Promise<void> {
  const codes = codesOf(error)
  const judgement = judge(error)
  if (judgement === 'pause') {
    await postponeMail(database, mail, {
      wait: stopping.aborted ? 0 : pauses.begin(codes),
      error: codes,
      refused: false
    })
  } else {
    pauses.end()
  }
  if (judgement === 'wait') {
    const wait = waitOf(mail.refusals + 1, codeLife(mail.purpose, lives) !== undefined, Math.random())
    await postponeMail(database, mail, { wait, error: codes, refused: true })
    emit(log, 'mail_retry', { ...namesOf(mail), codes })
  }
  if (judgement === 'refused' && (await finishMail(database, mail, { outcome: 'refused', error: codes }))) {
    emit(log, 'mail_refused', { ...namesOf(mail), codes })
  }
  if (judgement !== 'refused' && mail.age > LONG) emit(log, 'mail_waiting', { ...namesOf(mail), codes })
}

// Neither an address nor a text of the mail server goes into the log.
function namesOf({ id, purpose, user_id: user, attempts, age }: ClaimedMail) {
  return { mail: id, purpose, ...(user !== null && { user }), attempts, age: Math.round(age) }
}

// The signal that ends an attempt: after its longest time, or soon after the stop of the service.
function endOf(stopping: AbortSignal): { signal: AbortSignal; release(): void } {
  const end = new AbortController()
  const abort = () => end.abort()
  const late = setTimeout(abort, LONGEST_SEND).unref()
  const soon = () => void setTimeout(abort, AT_THE_STOP).unref()
  if (stopping.aborted) soon()
  stopping.addEventListener('abort', soon)
  return {
    signal: end.signal,
    release: () => {
      clearTimeout(late)
      stopping.removeEventListener('abort', soon)
    }
  }
}
