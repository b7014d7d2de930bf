import type { TObject } from 'typebox'

/** What the audit log keeps of an event. Its record has user, session and client by themselves. */
export interface Audited {
  /**
   * Who acts: the user of `user` (an administrator, if `by` is one), the administrator of `by`, somebody unknown, or the
   * service. At the command line it is always the operator.
   */
  readonly actor: 'user' | 'admin' | 'stranger' | 'service'
  /** What it is done to. Of a session that another one ends, `by` is the acting one. */
  readonly target?: 'user' | 'session' | 'key' | 'stream' | 'room'
  /** The fields that become the detail of the record. None is personal. */
  readonly detail?: readonly string[]
}

/** One event. */
export interface Definition {
  /** `none`: there is no line of it, it is only counted. */
  readonly level: 'info' | 'warn' | 'error' | 'none'
  /** The text for people. */
  readonly message: string
  readonly fields: TObject
  /** Only events that have it are in the audit log. */
  readonly audit?: Audited
}
