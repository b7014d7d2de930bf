import { createHash } from 'node:crypto'
import { hashPersonal, type NewRecord } from './record.ts'

/** A sealed record as the table has it, where nothing is sure but the types; times and JSON are texts, as they are hashed. */
export interface SealedRecord extends Omit<NewRecord, 'event' | 'outcome' | 'actor_kind' | 'personal_salt'> {
  /** In UTC with microseconds, as in `2026-01-31T12:00:00.000000Z`. */
  readonly at: string
  readonly event: string
  readonly outcome: string
  readonly actor_kind: string
  /** Null: erased. */
  readonly personal_salt: Buffer | null
  readonly seq: number
  readonly hash: Buffer
}

/** The hash before the first record. */
export const GENESIS: Buffer = Buffer.alloc(32)

/**
 * The text of a record that its hash is made from: the JSON array of its columns' texts. It is made here without the
 * function `audit_text` of the database, which the owner of the log could replace. `seq` is by default its number.
 */
export function textOf(record: SealedRecord, seq: number = record.seq): string {
  const texts = [
    record.id,
    record.at,
    record.event,
    record.outcome,
    record.actor_kind,
    record.actor_id,
    record.session_id,
    record.target_kind,
    record.target_id,
    record.request_id,
    record.detail,
    record.person_id,
    record.personal_hash.toString('hex'),
    String(seq)
  ]
  // As PostgreSQL's json_build_array writes it.
  return `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`
}

const LINK = Buffer.from([1])

/** The hash that chains a text to the hash before it: SHA-256 of 0x01, that hash, and the text. */
export function link(before: Buffer, text: string): Buffer {
  return createHash('sha256').update(LINK).update(before).update(text).digest()
}

/** Whether the personal data of a record are what was sealed (`fits`), were erased, or are others. */
export function personalDataOf(record: SealedRecord): 'fits' | 'erased' | 'altered' {
  const { personal, personal_salt, personal_hash } = record
  if (personal_salt === null) return personal === null ? 'erased' : 'altered'
  return hashPersonal(personal_salt, personal).equals(personal_hash) ? 'fits' : 'altered'
}
