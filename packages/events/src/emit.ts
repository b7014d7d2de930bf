import { EVENTS, type EventFields, type EventName } from './events.ts'

/** Where events are told; a logger of Fastify or pino fits, also that of one request. */
type EventLog = Readonly<Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>>

/** Tells of an event: one line of the log at its level. `message`, by default that of the list, is for people. */
export function emit<N extends EventName>(
  log: EventLog,
  name: N,
  fields: EventFields<N>,
  message: string = EVENTS[name].message
): void {
  log[EVENTS[name].level]({ event: name, ...fields }, message)
}
