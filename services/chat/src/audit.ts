import { type AuditedService, endWithReader, runAuditCommand } from '@latchkey/audit/command'
import { onDatabase } from '@latchkey/database/on-database'
import { readConfig } from '@latchkey/frame/config'
import { Type } from 'typebox'
import { chatSettings } from './config.ts'
import { missingMigration } from './schema.ts'

// The command behind `npm run audit -- --service chat`: verifies, exports and shortens the audit log of the chat. The chat
// has no signing key, so its heads are unsigned.

const { DATABASE_URL, DATABASE_PREPARE } = chatSettings.properties
const SETTINGS = Type.Object({ DATABASE_URL, DATABASE_PREPARE })

const chat: AuditedService = {
  name: 'chat',
  product: 'Latchkey chat',
  onDatabase: async (patience, work) => {
    const place = { patience, workspace: 'services/chat', missingMigration }
    await onDatabase({ ...readConfig(SETTINGS, process.env), ...place }, work)
  }
}

endWithReader(process.stdout)
process.exitCode = await runAuditCommand(process.argv.slice(2), chat, { out: process.stdout, err: process.stderr })
