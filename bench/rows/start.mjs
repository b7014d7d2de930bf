import { interleaved } from '../measure.mjs'

/** From the start of a process until it is ready. */
export async function start({ pair, rounds }) {
  const DATABASE_URL = await pair.createDatabase()
  const running = await pair.startAuth({ DATABASE_URL })
  const resource = async () => {
    const service = await pair.startResource()
    await service.stop()
    return service.ready / 1000
  }
  const resources = await interleaved({ resource }, rounds)
  await running.stop()
  const auth = async () => {
    const service = await pair.startAuth({ DATABASE_URL })
    await service.stop()
    return service.ready / 1000
  }
  const auths = await interleaved({ auth }, rounds)
  return [
    {
      what: 'start to ready: resource',
      unit: 's',
      ours: resources.resource,
      beside: 'what it may take',
      other: 1,
      most: 1
    },
    { what: 'start to ready: auth', unit: 's', ours: auths.auth, beside: 'what it may take', other: 1.5, most: 1 }
  ]
}
