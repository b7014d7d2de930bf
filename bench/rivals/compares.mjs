// How many compares a second bcryptjs alone gives, one thread a core as in the auth service.
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import bcrypt from 'bcryptjs'

const { SECONDS, BCRYPT_COST, PASSWORD = '' } = process.env

if (isMainThread) {
  const rates = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(new URL(import.meta.url))
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  process.send?.((await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0))
  process.disconnect()
} else {
  const hash = bcrypt.hashSync(PASSWORD, Number(BCRYPT_COST))
  compareFor(1)
  parentPort?.postMessage(compareFor(Number(SECONDS)))

  /** @param {number} seconds */
  function compareFor(seconds) {
    const begun = performance.now()
    let made = 0
    for (; performance.now() - begun < seconds * 1000; made += 1) bcrypt.compareSync(PASSWORD, hash)
    return (made * 1000) / (performance.now() - begun)
  }
}
