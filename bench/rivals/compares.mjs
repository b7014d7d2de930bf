// How many compares a second bcryptjs alone gives, one thread a core as in the auth service.
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import bcrypt from 'bcryptjs'

if (isMainThread) {
  const seconds = Number(process.env.SECONDS)
  const counts = await Promise.all(
    Array.from({ length: availableParallelism() }, () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { seconds, cost: Number(process.env.COST) } })
      return new Promise((resolve) => worker.once('message', resolve))
    })
  )
  process.send?.(counts.reduce((sum, count) => sum + count, 0))
  process.disconnect()
} else {
  const { seconds, cost } = workerData
  const hash = bcrypt.hashSync('a quiet harbour at dawn', cost)
  const begun = performance.now()
  let made = 0
  for (; performance.now() - begun < seconds * 1000; made += 1) bcrypt.compareSync('a quiet harbour at dawn', hash)
  parentPort?.postMessage((made * 1000) / (performance.now() - begun))
}
