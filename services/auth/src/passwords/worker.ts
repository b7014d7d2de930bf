import { constants, getPriority, setPriority } from 'node:os'
import { present } from './clock.ts'
import { type Bcrypt, isHash, openBcrypt } from './engine.ts'
import { costOf } from './foreign-hash.ts'

/**
 * A job of a hashing thread. `hash` makes a hash of the given cost. `verify` compares with a hash, and if it does not
 * match, takes as long as the given cost.
 */
export type HashTask = { readonly password: string; readonly cost: number } & (
  | { readonly op: 'hash' }
  | { readonly op: 'verify'; readonly hash: string }
)

/** A job that is not started after its deadline, by {@link present}. */
export type HashJob = HashTask & { readonly deadline: number }

/**
 * `late` if the deadline had passed before the start. `pace` is how long one of bcrypt's 2^cost rounds took, in
 * milliseconds.
 */
export type HashResult =
  | 'late'
  | ({ readonly pace: number } & ({ readonly hash: string } | { readonly matches: boolean }))

/**
 * How much lower the priority is: a third of the main thread's share if both want one core. Without it, refreshes wait
 * for passwords. With much more, clients that ignore Retry-After keep the hashing threads from any work
 * (docs/performance.md).
 */
const NICENESS = 5

// On Linux this sets the priority of the calling thread only. A sandbox may forbid it.
if (process.platform === 'linux') {
  try {
    setPriority(Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW))
  } catch {}
}

/** Runs one job on the calling thread. */
export default createWork(openBcrypt())

/** Makes the function that runs one job on the calling thread. */
export function createWork(bcrypt: Bcrypt): (job: HashJob) => HashResult {
  return (job) => {
    if (present() > job.deadline) return 'late'
    const begun = performance.now()
    const { worked, ...result } =
      job.op === 'hash' ? { hash: bcrypt.hash(job.password, job.cost), worked: job.cost } : verify(bcrypt, job)
    return { ...result, pace: (performance.now() - begun) / 2 ** worked }
  }
}

/**
 * `worked` is the cost of a hash that would have taken as long: a lower one if the password is right for an old
 * account.
 */
function verify(
  bcrypt: Bcrypt,
  { password, hash, cost }: HashJob & { op: 'verify' }
): { matches: boolean; worked: number } {
  // A stored text that is no bcrypt hash opens no account, and takes as long.
  if (!isHash(hash)) {
    bcrypt.hash(password, cost)
    return { matches: false, worked: cost }
  }
  const stored = costOf(hash)
  if (bcrypt.compare(password, hash)) return { matches: true, worked: stored }
  // A wrong password costs the same for every account and for an unknown one: 2^c + 2^c + 2^(c+1) + … = 2^cost.
  for (let rest = stored; rest < cost; rest += 1) bcrypt.hash(password, rest)
  return { matches: false, worked: Math.max(stored, cost) }
}
