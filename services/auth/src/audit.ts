import { type AuditedService, endWithReader, runAuditCommand } from '@latchkey/audit/command'
import { onDatabase } from './command-line.ts'
import { readRegister } from './keys/signing-keys.ts'

// The command behind `npm run audit`: verifies, exports and shortens the audit log of the auth service.

const auth: AuditedService = {
  name: 'auth',
  product: 'Latchkey auth service',
  revokedKeys: async (database) =>
    new Set((await readRegister(database)).keys.flatMap((key) => (key.revoked ? key.kid : []))),
  onDatabase: (patience, work) => onDatabase(process.env, patience, work)
}

endWithReader(process.stdout)
process.exitCode = await runAuditCommand(process.argv.slice(2), auth, { out: process.stdout, err: process.stderr })
