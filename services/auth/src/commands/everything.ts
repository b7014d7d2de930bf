import { type Acting, transact } from '@latchkey/audit/acting'
import { authConfig } from '../config.ts'
import { keysInUse } from '../keys/emergency.ts'
import { revokeKey } from '../keys/signing-keys.ts'
import { revokeEverybody } from '../sessions/revocation.ts'
import type { Command } from './command.ts'
import { untilReceiversKnow } from './receivers.ts'

const COMMAND = 'revoke-everything'

/** The command for the day on which somebody else may have everything. */
export const EVERYTHING_COMMANDS: Record<string, Command> = {
  [COMMAND]: {
    words: '',
    help: 'ends all sessions and all tokens, and the signing keys in use; next signs',
    asks: true,
    run: async ({ acting, database, env, say, hasTyped }) => {
      const config = authConfig(env)
      const keys = await keysInUse(database, config)
      const question = `This ends ${keys.length} signing keys for ever, all sessions and all tokens of ${config.ISSUER}: everybody logs in again. Type the name of the issuer to go on:`
      if (!(await hasTyped(question, config.ISSUER))) {
        throw new Error('nothing was changed; type the ISSUER as it is set, or give --yes beforehand')
      }
      // The keys first: whoever has them could go on making tokens of any time.
      await revokeKeys(acting, keys)
      say(`${keys.length} signing keys are revoked`)
      const users = await revokeEverybody(acting, { command: COMMAND, ahead: config.CLOCK_LEEWAY })
      say(`${users} users have no session any more`)
      const told = await untilReceiversKnow({ database, say })
      return `everything is revoked: ${keys.length} signing keys, and the sessions of ${users} users; ${told}\nNow run scripts/rotate-keys.sh for access and for refresh, so that there is a key in the slot next again.`
    }
  }
}

function revokeKeys(acting: Acting, keys: Awaited<ReturnType<typeof keysInUse>>): Promise<void> {
  return transact(acting, async (connection, note) => {
    for (const { kid, kind } of keys) {
      await revokeKey(connection, kid)
      note('key_revoked', { kind, kid })
    }
  })
}
