/** What is read of a record of the audit log. Nothing personal. */
export interface LoggedRecord {
  readonly seq: number
  readonly id: string
  /** RFC 3339, in UTC. */
  readonly at: string
  readonly event: string
  readonly outcome: string
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly session_id: string | null
  readonly target_kind: string | null
  readonly target_id: string | null
  readonly request_id: string | null
  readonly detail: Readonly<Record<string, unknown>>
  /** Its hash in the chain. */
  readonly hash: Buffer
}
