import type { Batch } from '../live/batch.ts'
import type { CloseName } from './closes.ts'
import type { Message } from './messages.ts'

/** The way to one client. */
export interface Line {
  /** Whether its token is still believed. If not, it is being closed, and nothing goes in or out. */
  isGood(): boolean
  /** Whether the client is slow, so that what happens is not sent as it happens. */
  isBusy(): boolean
  /** Sends a message, unless the token is believed no more. */
  send(message: Message): void
  /** Sends events; resolves when the client has taken them. Rejects if the connection is gone. */
  deliver(batch: Batch): Promise<void>
  /** Closes it. What comes afterwards is not looked at. */
  close(name: CloseName): void
}
