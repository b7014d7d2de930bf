import { MOST_MAILS } from './purposes.ts'

// SQL of the limit of mails, for an account and for an address.

/** Counts the rows of `from` of the last hour and day by their time `at`, and finds the last: a subquery. */
export const counts = (from: string, at: string, condition: string) => `(
  SELECT count(*) FILTER (WHERE ${at} > now() - interval '1 hour') AS hour,
         count(*) FILTER (WHERE ${at} > now() - interval '1 day') AS day, max(${at}) AS last
    FROM ${from} WHERE ${condition})`

/** The condition under which `more` mails may be added to those that {@link counts} has counted as `s`. */
export const within = (more: string) =>
  `s.hour + ${more} <= ${MOST_MAILS.hour} AND s.day + ${more} <= ${MOST_MAILS.day}`

/**
 * The same for one mail of a purpose. Resets have no daily limit, because strangers could use it up and so keep an owner
 * from a reset. Instead, after three in an hour, another mail is allowed when the code of the last one has expired. So at
 * any time a code is valid, or a mail is allowed. `resetLife` is the life of a reset code in seconds.
 */
export const withinLimit = (purpose: string, resetLife: string) => `CASE ${purpose} WHEN 'reset_password'
  THEN s.hour < ${MOST_MAILS.hour} OR s.last < now() - make_interval(secs => ${resetLife}::float8) ELSE ${within('1')} END`
