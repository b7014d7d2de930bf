import { Type } from 'typebox'
import { integer, text } from './settings.ts'

/** The settings of the metrics, which every service has. */
export const managementSettings = {
  MANAGEMENT_PORT: Type.Optional(
    integer({
      minimum: 1,
      maximum: 65535,
      description: 'Port of GET /metrics, a listener of its own, for Prometheus. Unset, there is none.'
    })
  ),
  MANAGEMENT_HOST: text({
    default: '127.0.0.1',
    description:
      'Address that MANAGEMENT_PORT listens on. Who reaches it reads how many log in and fail, so let only the monitoring reach it.'
  }),
  BUILD_COMMIT: text({
    default: 'unknown',
    pattern: '^[\\w.-]{1,64}$',
    description: 'The commit that was built, for latchkey_build_info. The images of Docker have it from their build.'
  })
}
