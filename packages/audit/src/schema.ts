import { fileURLToPath } from 'node:url'
import type { Schema } from '@latchkey/database/migrate'

// The rights let a service append, seal, erase personal data and store heads, and change nothing else. The trigger of the
// migration lets it only erase. A column of time, number or hash is none of those that it may set.
const APPEND =
  'id, event, outcome, actor_kind, actor_id, session_id, target_kind, target_id, request_id, detail, person_id, personal, personal_salt, personal_hash'

/** The tables and functions of the audit log, for the schema of a service. */
export const AUDIT_SCHEMA = {
  migrations: [fileURLToPath(new URL('../migrations', import.meta.url))],
  rights: {
    audit_records: `SELECT, INSERT (${APPEND}), UPDATE (personal, personal_salt)`,
    audit_head: 'SELECT',
    audit_heads: 'SELECT, INSERT (seq, hash, jws), UPDATE (jws)',
    audit_keys: 'SELECT, INSERT',
    audit_settings: 'SELECT'
  },
  functions: {
    'audit_seal(integer)': 'EXECUTE',
    'audit_prune(integer)': 'EXECUTE',
    'audit_text(audit_records, bigint)': '',
    'audit_erase_only()': ''
  }
} as const satisfies Schema
