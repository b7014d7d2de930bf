import type { StoredRecord } from '@latchkey/audit/read'

/** What is read of a record of the audit log, its time with milliseconds. Nothing personal. */
export interface LoggedRecord extends Omit<StoredRecord, 'person_id' | 'personal'> {
  /** Its hash in the chain. */
  readonly hash: Buffer
}
