import { transact } from '@latchkey/audit/acting'
import { authConfig } from '../config.ts'
import { listKeys } from '../keys/list.ts'
import { revokeKey } from '../keys/signing-keys.ts'
import type { Command } from './command.ts'
import { untilReceiversKnow } from './receivers.ts'

/** The commands about signing keys. */
export const KEY_COMMANDS: Record<string, Command> = {
  keys: {
    words: '',
    help: 'lists the signing keys, and what becomes of each',
    run: async ({ database, env }) => (await listKeys(database, authConfig(env))).join('\n')
  },
  'revoke-key': {
    words: '<kid>',
    help: 'ends a signing key, and all tokens that it signed',
    run: async ({ acting, database, say }, kid = '') => {
      const kind = await transact(acting, async (connection, note) => {
        const revoked = await revokeKey(connection, kid)
        if (revoked) note('key_revoked', { kind: revoked, kid })
        return revoked
      })
      if (!kind) throw new Error(`no service has seen a key ${kid}; npm run admin -- keys lists them`)
      const told = await untilReceiversKnow({ database, say })
      return `the ${kind} key ${kid} is revoked: within 10 s no instance accepts what it signed; ${told}`
    }
  }
}
