import { constants, getPriority, setPriority } from 'node:os'
import { compareSync, getRounds, hashSync } from 'bcryptjs'

/** Work for a hashing thread: `hash` makes a hash of the given cost, `verify` compares with one. */
export type HashJob = { readonly password: string; readonly cost: number; readonly deadline: number } & (
  | { readonly op: 'hash' }
  | { readonly op: 'verify'; readonly hash: string }
)

/** `late` when the deadline (milliseconds since 1970) had passed before the work began; `ms` is how long the work took. */
export type HashResult =
  | 'late'
  | ({ readonly ms: number } & ({ readonly hash: string } | { readonly matches: boolean }))

/**
 * How much lower the priority is: a third of the main thread's share where both want one core. Without it, refreshes wait
 * behind passwords; with far more, clients that ask again at once after each 503 keep the hashing threads from any work
 * (docs/performance.md).
 */
const NICENESS = 5

// On Linux this is the calling thread's priority alone.
if (process.platform === 'linux') setPriority(Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW))

/** Does one job, on the calling thread. */
export default function work(job: HashJob): HashResult {
  if (Date.now() > job.deadline) return 'late'
  const begun = performance.now()
  const result = job.op === 'hash' ? { hash: hashSync(job.password, job.cost) } : { matches: verify(job) }
  return { ...result, ms: performance.now() - begun }
}

function verify({ password, hash, cost }: HashJob & { op: 'verify' }): boolean {
  try {
    if (compareSync(password, hash)) return true
    // A wrong password costs as much for an old account as for an unknown one: 2^c + 2^c + 2^(c+1) + … = 2^cost.
    for (let rest = getRounds(hash); rest < cost; rest += 1) hashSync(password, rest)
    return false
  } catch {
    return false // a stored text that is no bcrypt hash opens no account
  }
}
