import type { Acting } from '@latchkey/audit/acting'
import { refusalOf } from '@latchkey/audit/record'
import { writeRefusals } from '@latchkey/audit/write'
import type { EventLog } from '@latchkey/events/emit'
import { createLogger } from '@latchkey/frame/logger'
import { Problem } from '@latchkey/problems/problem'
import { reasonOf } from '@latchkey/problems/reason'
import { onDatabase } from './command-line.ts'
import { ACCOUNT_COMMANDS } from './commands/accounts.ts'
import type { Command } from './commands/command.ts'
import { EVERYTHING_COMMANDS } from './commands/everything.ts'
import { IMPORT_COMMANDS } from './commands/import.ts'
import { INVITE_COMMANDS } from './commands/invite.ts'
import { KEY_COMMANDS } from './commands/keys.ts'
import { MAIL_COMMANDS } from './commands/mails.ts'
import { RECEIVER_COMMANDS } from './commands/receivers.ts'
import { STREAM_COMMANDS } from './commands/streams.ts'
import { hasTyped, isConfirmed } from './question.ts'

// The command behind `npm run admin`: makes the first administrator, and helps if nobody can log in as one.

const COMMANDS: Record<string, Command> = {
  ...ACCOUNT_COMMANDS,
  ...INVITE_COMMANDS,
  ...IMPORT_COMMANDS,
  ...MAIL_COMMANDS,
  ...KEY_COMMANDS,
  ...EVERYTHING_COMMANDS,
  ...RECEIVER_COMMANDS,
  ...STREAM_COMMANDS
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { words, help, asks }]) => [`${name} ${words}${asks ? ' [--yes]' : ''}`.trimEnd(), help] as const
  )
  return ['usage: npm run admin -- <command>', ...lines.map(([line, help]) => `  ${line.padEnd(30)}  ${help}`)].join(
    '\n'
  )
}

// The name of a command is one word, or two as in `stream add`.
function chosen([first = '', second = '', ...rest]: readonly string[]) {
  const long = `${first} ${second}`
  if (Object.hasOwn(COMMANDS, long)) return { name: long, command: COMMANDS[long], rest }
  const words = second === '' && rest.length === 0 ? [] : [second, ...rest]
  return { name: first, command: Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined, rest: words }
}

function takes({ words: known, options }: Command, words: readonly string[]): boolean {
  if (options) return true
  const taken = known.split(' ').filter(Boolean)
  const least = taken.filter((word) => !word.startsWith('[')).length
  return words.length >= least && words.length <= taken.length
}

/** Seconds that a statement may take. */
const PATIENCE = 10

// In production the events are for the log; a person in development has just read the message.
const SILENT: EventLog = { info: () => {}, warn: () => {}, error: () => {} }

// What a rule refuses is recorded too; a mistake at the command line is not.
async function recordRefusal({ database, account: id, command }: Acting, error: unknown): Promise<void> {
  if (!(error instanceof Problem) || error.code === 'unavailable') return
  const { code } = error
  const target = id === undefined ? {} : { target: { kind: 'user', id } as const }
  const record = refusalOf({ event: 'admin_command', outcome: 'refused', code, ...target, source: { command } })
  // The error itself is what the person has to read.
  await writeRefusals(database, [record]).catch((failure) => console.error(`admin: not recorded: ${reasonOf(failure)}`))
}

try {
  const { name, command, rest } = chosen(process.argv.slice(2))
  const words = command?.asks ? rest.filter((word) => word !== '--yes') : rest
  if (!command || !takes(command, words)) throw new Error(usage())
  await onDatabase(process.env, PATIENCE, async (database, config) => {
    const isAnswered = words.length < rest.length
    const log = config.NODE_ENV === 'production' ? await createLogger('admin', config, process.stderr) : SILENT
    const acting = { database, log, command: name }
    const context = {
      database,
      acting,
      env: process.env,
      say: (line: string) => console.error(line),
      isConfirmed: async (question: string) => isAnswered || isConfirmed(question),
      hasTyped: async (question: string, text: string) => isAnswered || hasTyped(question, text)
    }
    try {
      console.log(await command.run(context, ...words))
    } catch (error) {
      await recordRefusal(acting, error)
      throw error
    }
  })
} catch (error) {
  console.error(`admin: ${reasonOf(error)}`)
  process.exitCode = 1
}
