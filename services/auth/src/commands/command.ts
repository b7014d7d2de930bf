import type { Database } from '@latchkey/database/pool'
import type { EventFields } from '@latchkey/events/events'
import type { Account } from '../users/account.ts'
import { findByEmail } from '../users/find.ts'

/** What a command needs. */
export interface CommandContext {
  readonly database: Database
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes a line for the person, while the command is at work. */
  readonly say: (line: string) => void
  /** Asks the person; `--yes` answers in advance. */
  readonly isConfirmed: (question: string) => Promise<boolean>
}

/** One command of `npm run admin`. */
export interface Command {
  /** Its arguments, as in `<role> <email>`; optional ones are in brackets. */
  readonly words: string
  readonly help: string
  /** Whether it may ask for confirmation, which `--yes` answers in advance. */
  readonly asks?: true
  run(on: CommandContext, ...words: string[]): Promise<Done>
}

/** The message of a command, and what it changed; without `changed` it changed nothing. */
export interface Done {
  readonly said: string
  readonly changed?: Omit<EventFields<'admin_command'>, 'command'>
}

/** Changes the account of an address. Throws if there is none. */
export async function onUser(
  database: Database,
  email = '',
  change: (account: Account) => Promise<unknown>,
  done: string
): Promise<Done> {
  const account = await findByEmail(database, email)
  if (!account) throw new Error(`no account has the address ${email}; who it is for signs up first`)
  await change(account)
  return { said: `${account.email} (${account.id}) ${done}`, changed: { user: account.id } }
}
