import { channel } from 'node:diagnostics_channel'
import { EVENTS, type EventFields, type EventName } from './events.ts'

/** A logger that gets events: of Fastify or pino, also of one request. */
export type EventLog = Readonly<Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>>

/** An event as its other readers get it, such as the metrics. */
export type Told = { readonly [N in EventName]: { readonly name: N; readonly fields: EventFields<N> } }[EventName]

/** All events of this process, each as a {@link Told}: also those that no line is written of. */
const TOLD = channel('latchkey:event')

/** The names of the events that have a line, or of those that have none. */
type NamesOf<HasLine extends boolean> = {
  [N in EventName]: (typeof EVENTS)[N] extends { readonly level: 'none' }
    ? HasLine extends true
      ? never
      : N
    : HasLine extends true
      ? N
      : never
}[EventName]

/**
 * Logs an event as one line at its level, and tells it to {@link follow}. `message`, by default that of the list, is for
 * people.
 */
export function emit<N extends NamesOf<true>>(
  log: EventLog,
  name: N,
  fields: EventFields<N>,
  message: string = EVENTS[name].message
): void {
  tell(name, fields)
  log[EVENTS[name].level]({ event: name, ...fields }, message)
}

/** Tells an event of level `none` to {@link follow}; it costs nothing while nobody follows. */
export function count<N extends NamesOf<false>>(name: N, fields: EventFields<N>): void {
  tell(name, fields)
}

function tell(name: EventName, fields: object): void {
  if (TOLD.hasSubscribers) TOLD.publish({ name, fields })
}

/** Calls `reader` with each event of this process from now on. Returns a function that ends it. */
export function follow(reader: (told: Told) => void): () => void {
  const listener = (message: unknown) => reader(message as Told)
  TOLD.subscribe(listener)
  return () => {
    TOLD.unsubscribe(listener)
  }
}
