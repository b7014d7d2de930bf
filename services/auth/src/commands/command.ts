import type { Acting } from '@latchkey/audit/acting'
import type { Database } from '@latchkey/database/pool'
import type { Account } from '../users/account.ts'
import { findByEmail } from '../users/find.ts'

/** What a command needs. */
export interface CommandContext {
  readonly database: Database
  /** The operator, who acts by this command. */
  readonly acting: Acting
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes a line for the person, while the command is at work. */
  readonly say: (line: string) => void
  /** Asks the person; `--yes` answers in advance. */
  readonly isConfirmed: (question: string) => Promise<boolean>
  /** Asks the person to type a text; `--yes` does so in advance. */
  readonly hasTyped: (question: string, text: string) => Promise<boolean>
}

/** One command of `npm run admin`. */
export interface Command {
  /** Its arguments, as in `<role> <email>`; optional ones are in brackets. */
  readonly words: string
  readonly help: string
  /** Whether it may ask for confirmation, which `--yes` answers in advance. */
  readonly asks?: true
  /** Whether it has options, and checks its words itself. */
  readonly options?: true
  /** Returns the message for the person. */
  run(on: CommandContext, ...words: string[]): Promise<string>
}

/** Changes the account of an address. Throws if there is none. */
export async function onUser(
  { database, acting }: Pick<CommandContext, 'database' | 'acting'>,
  email = '',
  change: (account: Account) => Promise<unknown>,
  done: string
): Promise<string> {
  const account = await findByEmail(database, email)
  if (!account) throw new Error(`no account has the address ${email}; who it is for signs up first`)
  acting.account = account.id
  await change(account)
  return `${account.email} (${account.id}) ${done}`
}
