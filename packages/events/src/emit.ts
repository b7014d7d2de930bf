import { EVENTS, type EventFields, type EventName } from './events.ts'

/** A logger that gets events: of Fastify or pino, also of one request. */
export type EventLog = Readonly<Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>>

/** Logs an event as one line at its level. `message`, by default that of the list, is for people. */
export function emit<N extends EventName>(
  log: EventLog,
  name: N,
  fields: EventFields<N>,
  message: string = EVENTS[name].message
): void {
  log[EVENTS[name].level]({ event: name, ...fields }, message)
}
