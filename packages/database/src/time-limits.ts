/**
 * The share of a timeout that each step has, so that whoever waits for the service waits no longer than the timeout.
 *
 * `ANSWER_TIMEOUT` and `PASSWORD_TIMEOUT` are promises about the client's time; the longer one is the limit of every
 * answer. The service answers before it, because the answer has to travel. Each single step ends earlier still, so that
 * what went wrong is known; and PostgreSQL ends a statement before the service gives up its connection.
 */
export const SHARE = {
  /** Of the longer one: after this, the answer is 503 whatever the work is at, guards included. */
  answer: 0.9,
  /** Of its own one: a wait for a connection, a wait for a silent server, a password with its wait for a thread. */
  step: 0.8,
  /** Of `ANSWER_TIMEOUT`: a statement, ended by PostgreSQL. */
  statement: 0.7
} as const
