// SQL for the statements that end something: each writes its row of the revocation feed in the same statement, so there is
// no end without its row.

/** The key of a user or session in the feed, as `revocationKey` makes it. `id` is an expression of type uuid. */
const keyOf = (id: string) =>
  `translate(rtrim(encode(substr(sha256(convert_to(${id}::text, 'UTF8')), 1, 16), 'base64'), '='), '+/', '-_')`

/** Writes that tokens with a lower epoch are refused, for each `id` and `epoch` in `from`. */
export const tellSubjects = (from: string) =>
  `INSERT INTO revocations (kind, key, number) SELECT 'subject', ${keyOf('id')}, epoch FROM ${from}`

/** Writes that the access tokens of a session are refused, for each `id` in `from`. */
export const tellSessions = (from: string) =>
  `INSERT INTO revocations (kind, key) SELECT 'session', ${keyOf('id')} FROM ${from}`

/** Writes that the tokens of a signing key are refused, for each `kid` in `from`. */
export const tellKeys = (from: string) => `INSERT INTO revocations (kind, key) SELECT 'key', kid FROM ${from}`
