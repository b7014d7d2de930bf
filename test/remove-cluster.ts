import { rm } from 'node:fs/promises'
import { currentCluster, forgetCluster } from '@latchkey/testing/cluster'
import { runStatement } from '@latchkey/testing/database'
import { stopPostgres } from '../tools/embedded-postgres/server.mjs'

/** Leaves nothing of what test/before.ts made for a run of tap, by default the one that this process belongs to. */
export async function removeCluster(tap = process.ppid): Promise<void> {
  const { url, template, chatTemplate, service, folder } = await currentCluster(tap)
  if (folder === undefined) {
    for (const name of [template, chatTemplate]) {
      await runStatement(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    }
    await runStatement(url, `DROP ROLE IF EXISTS ${service.user}`)
  } else {
    await stopPostgres(folder)
    await rm(folder, { recursive: true, force: true })
  }
  await forgetCluster(tap)
}
