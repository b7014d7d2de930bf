import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { transact } from '@latchkey/audit/acting'
import { canonicalId, isId } from '@latchkey/frame/ids'
import { reasonOf } from '@latchkey/problems/reason'
import { faultOfReceiverUrl, shownUrl } from '../signals/receiver-url.ts'
import {
  addStream,
  type ListedStream,
  listStreams,
  MOST_STREAMS,
  type NewStream,
  removeStream,
  wakeStream
} from '../signals/streams.ts'
import type { Command, CommandContext } from './command.ts'

/** The commands about the receivers of Shared Signals. */
export const STREAM_COMMANDS: Record<string, Command> = {
  'stream add': {
    words: '<url|audience> --push|--poll',
    help: 'adds a receiver of Shared Signals',
    options: true,
    run: async (on, ...words) => {
      const stream = await readStream(on, words)
      const added = await transact(on.acting, async (connection, note) => {
        const made = await addStream(connection, stream)
        if (made) note('stream_added', { stream: made.id, method: stream.method, audience: stream.audience })
        return made
      })
      if (!added) {
        throw new Error(
          `nothing was added: there is such a stream already, or there are ${MOST_STREAMS}; npm run admin -- stream list lists them`
        )
      }
      if (added.token === undefined) return `stream ${added.id} was added: its SETs have the aud ${stream.audience}`
      const issuer = on.env['ISSUER']?.replace(/\/$/, '') ?? '<ISSUER>'
      return [
        `stream ${added.id} was added: its SETs have the aud ${stream.audience}`,
        `its receiver polls POST ${issuer}/signals/${added.id} with this bearer token, which nobody can show again:`,
        added.token
      ].join('\n')
    }
  },
  'stream list': {
    words: '',
    help: 'lists the receivers of Shared Signals, and how far each is',
    run: async ({ database }) => (await listStreams(database)).map(lineOf).join('\n') || 'there is no stream'
  },
  'stream remove': {
    words: '<id>',
    help: 'ends a stream: its receiver gets nothing more',
    run: async ({ acting }, id = '') => {
      const method = await transact(acting, async (connection, note) => {
        const removed = isId(id) ? await removeStream(connection, id) : undefined
        if (removed) note('stream_removed', { stream: canonicalId(id), method: removed })
        return removed
      })
      if (!method) throw unknown(id)
      return `stream ${canonicalId(id)} was removed`
    }
  },
  'stream verify': {
    words: '<id>',
    help: 'sends a verification event to a receiver, and tries at once what waits',
    run: async ({ acting }, id = '') => {
      const state = randomUUID()
      const method = await transact(acting, async (connection, note) => {
        const found = isId(id) ? await wakeStream(connection, id) : undefined
        if (found) note('stream_verification', { stream: canonicalId(id), state })
        return found
      })
      if (!method) throw unknown(id)
      const comes = method === 'push' ? 'is sent in about a second' : 'comes with a poll, in about a second'
      return `a verification event with the state ${state} ${comes}; npm run admin -- stream list shows if it was taken`
    }
  }
}

function unknown(id: string): Error {
  return new Error(`no stream has the id ${id}; npm run admin -- stream list lists them`)
}

const USAGE = `usage: npm run admin -- stream add <url> --push [--audience <audience>] [--authorization-file <file>]
       npm run admin -- stream add <audience> --poll`

async function readStream({ env }: CommandContext, words: readonly string[]): Promise<NewStream> {
  const { values, positionals } = parse(words)
  const { push = false, poll = false, audience, 'authorization-file': file } = values
  const [place = '', ...more] = positionals
  if (place === '' || more.length > 0 || push === poll) throw new Error(USAGE)
  if (poll) {
    if (audience !== undefined || file !== undefined) {
      throw new Error('--audience and --authorization-file are for --push: who polls gets a token, and is named first')
    }
    return { method: 'poll', audience: checkAudience(place) }
  }
  const fault = faultOfReceiverUrl(place)
  if (fault) throw new Error(`the URL ${fault}`)
  const url = new URL(place)
  const authorization =
    file === undefined ? undefined : await readAuthorization(path.resolve(env['INIT_CWD'] ?? '', file))
  return {
    method: 'push',
    audience: checkAudience(audience ?? url.origin),
    endpoint: url.href,
    ...(authorization !== undefined && { authorization })
  }
}

function parse(words: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args: [...words],
      options: { push: flag, poll: flag, audience: text, 'authorization-file': text },
      allowPositionals: true
    })
  } catch (error) {
    throw new Error(`${reasonOf(error)}\n${USAGE}`)
  }
}

function checkAudience(audience: string): string {
  if (/^[!-~]{1,200}$/.test(audience)) return audience
  throw new Error('an audience has 1 to 200 visible ASCII characters, as in https://receiver.example.com')
}

// Not a word of the command line, which other users of the machine and the history of the shell see.
async function readAuthorization(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new Error(`--authorization-file: ${reasonOf(error)}`)
  })
  const value = text.replace(/\r?\n$/, '')
  if (/^[\w!#$%&'*+.^`|~-]{1,64} +[!-~][ -~]{0,4095}$/.test(value)) return value
  throw new Error(
    '--authorization-file: the file has to be one line, the value of the header Authorization, as in Bearer <token>'
  )
}

function lineOf(stream: ListedStream): string {
  const { id, method, audience, endpoint, created_at, sent_at, behind, waiting, lost, failures, last_error } = stream
  return [
    `${id} ${method} ${audience}${endpoint === null ? '' : ` ${shownUrl(endpoint)}`}, added at ${created_at.toISOString()}`,
    sent_at ? `last taken at ${sent_at.toISOString()}` : 'nothing was taken yet',
    behind + waiting === 0 && 'up to date',
    behind > 0 && `${behind === 1 ? '1 record' : `${behind} records`} behind`,
    waiting > 0 && `${waiting === 1 ? '1 SET' : `${waiting} SETs`} not acknowledged`,
    failures > 0 && `sent in vain ${failures} times (${last_error})`,
    lost > 0 && `${lost} lost`
  ]
    .filter(Boolean)
    .join(', ')
}
