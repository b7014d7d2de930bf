/** What a test looks at of a record: the columns of {@link Row}. */
export const ROW =
  'event, outcome, actor_kind, actor_id, session_id, target_kind, target_id, request_id, detail, person_id, personal'

/** A record of the audit log, without what differs each time. */
export interface Row {
  readonly event: string
  readonly outcome: string
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly session_id: string | null
  readonly target_kind: string | null
  readonly target_id: string | null
  readonly request_id: string | null
  readonly detail: Record<string, unknown>
  readonly person_id: string | null
  readonly personal: Record<string, unknown> | null
}
