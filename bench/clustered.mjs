// So many instances of a service behind one port, by node:cluster: each is the service's own entry, as a process. Says so once all
// of them listen, and ends them as it is ended.
import cluster from 'node:cluster'

const { ENTRY, INSTANCES, ...env } = process.env

cluster.setupPrimary({ exec: ENTRY })
const workers = Array.from({ length: Number(INSTANCES) }, () => cluster.fork(env))
let listening = 0
cluster.on('listening', () => {
  listening += 1
  if (listening === workers.length) process.send?.('all listen')
})
let ending = false
cluster.on('exit', (_worker, code) => {
  // An instance that fails would make the others look slow.
  if (!ending) process.exit(code || 1)
})
process.once('SIGTERM', async () => {
  ending = true
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
  for (const { process: instance } of workers) instance.kill('SIGTERM')
  await Promise.all(ended)
  process.exit()
})
