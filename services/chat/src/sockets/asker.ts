import type { Origin } from '../actions/action.ts'
import type { Life } from './life.ts'
import type { Line } from './line.ts'
import type { Rooms } from './rooms.ts'

/** Who asks, for the answer to a request. */
export interface Asker {
  readonly origin: Origin
  readonly life: Life
  readonly rooms: Rooms
  readonly line: Line
}
