import path from 'node:path'
import { readConfig } from '@latchkey/frame/config'
import { Type } from 'typebox'
import { authSettings } from '../config.ts'
import { addAccounts, type Checked, checkFile, type Telling } from '../import/import-file.ts'
import { findHighestCost } from '../users/find.ts'
import type { Command, CommandContext } from './command.ts'

/** How many refused lines are shown at most. */
const MOST_REFUSALS = 100

/** How long the command says nothing about its progress, in milliseconds. */
const SILENCE = 5_000

/** The command that imports accounts from another login. */
export const IMPORT_COMMANDS: Record<string, Command> = {
  import: {
    words: '<file.jsonl>',
    help: 'adds the accounts of a file (docs/moving-here.md), or none of them',
    asks: true,
    run: async (on, name = '') => {
      const { database, acting, env, say } = on
      // npm runs scripts in the folder of package.json. INIT_CWD is the folder where the person called it.
      const file = path.resolve(env['INIT_CWD'] ?? '', name)
      const checked = await checkFile(database, file, telling(say, 'checked'))
      const { accounts, refused } = checked
      if (refused > MOST_REFUSALS) say(`and ${refused - MOST_REFUSALS} more lines`)
      if (refused > 0) throw new Error(`nothing was imported: ${refused} of ${accounts + refused} lines are refused`)
      if (accounts === 0) throw new Error('nothing was imported: the file has no lines')
      await askAboutCost(on, checked)
      await addAccounts(acting, file, { accounts, tell: telling(say, 'written') })
      return accounts === 1 ? '1 account was imported' : `${accounts} accounts were imported`
    }
  }
}

function telling(say: CommandContext['say'], what: string): Telling {
  let told = Date.now()
  let refusals = 0
  return {
    refused: (line, fault) => {
      refusals += 1
      if (refusals <= MOST_REFUSALS) say(`line ${line}: ${fault}`)
    },
    progress: (done) => {
      if (Date.now() - told < SILENCE) return
      told = Date.now()
      say(`${done} lines ${what} …`)
    }
  }
}

// Every wrong password takes as long as the most expensive hash, so that nobody learns who has an account.
async function askAboutCost({ database, env, isConfirmed }: CommandContext, { highestCost }: Checked): Promise<void> {
  const { BCRYPT_COST } = readConfig(Type.Object({ BCRYPT_COST: authSettings.properties.BCRYPT_COST }), env)
  const present = Math.max(BCRYPT_COST, (await findHighestCost(database)) ?? 0)
  if (highestCost <= present) return
  const question = `A hash has the cost ${highestCost}: until its user has another password, every wrong password at a login takes ${2 ** (highestCost - present)} times as long as now. Import all the same?`
  if (!(await isConfirmed(question))) throw new Error('nothing was imported; answer y, or give --yes beforehand')
}
