/**
 * The share of a timeout that each step has, so that a client never waits longer than the timeout.
 *
 * `ANSWER_TIMEOUT` and `PASSWORD_TIMEOUT` limit the client's wait; the longer one limits every answer. The service
 * answers earlier, because the answer has to travel. Each step ends earlier still, so that its error is known, and
 * PostgreSQL ends a statement before the service gives up the connection.
 */
export const SHARE = {
  /** Of the longer one: after this time the answer is 503, guards included. */
  answer: 0.9,
  /** Of its own timeout: a wait for a connection or a silent server, or a password with its wait for a thread. */
  step: 0.8,
  /** Of `ANSWER_TIMEOUT`: a statement, ended by PostgreSQL. */
  statement: 0.7
} as const
