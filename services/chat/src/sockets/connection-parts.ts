import type { Socket } from 'node:net'
import type { Database } from '@latchkey/database/pool'
import type { WebSocket } from 'ws'
import type { Asker } from './asker.ts'
import type { Request } from './frames.ts'
import type { LifeParts } from './life.ts'
import type { Rates } from './rates.ts'
import type { RoomsParts } from './rooms.ts'

/** More unsent bytes than this, and live events are not added to them. */
export const BUSY = 64 * 1024

/** What a connection needs. */
export interface ConnectionParts extends LifeParts, RoomsParts {
  readonly database: Database
  readonly rates: Rates
  /** Answers a request with `ok`, or throws a Problem. */
  answer(asker: Asker, request: Request): Promise<void>
}

/** A WebSocket, and the connection that carries it. */
export interface Carrier {
  readonly socket: WebSocket
  readonly connection: Socket
}
