import { setTimeout as sleep } from 'node:timers/promises'
import { listReceivers, type SeenReceiver } from '../revocations/receivers.ts'
import { numberRows } from '../revocations/source.ts'
import type { Command, CommandContext } from './command.ts'

/** Receivers that have asked within so many seconds are waited for; a receiver asks every 10 s at least. */
const RECENT = 60

/** Longest wait, and time between two looks, in milliseconds. */
const PATIENCE = 30_000
const PAUSE = 500

/** How old a receiver may be to be listed, in seconds. */
const A_DAY = 86_400

/** The command about who reads the revocation feed. */
export const RECEIVER_COMMANDS: Record<string, Command> = {
  receivers: {
    words: '',
    help: 'lists who has read the revocation feed within a day, and up to which number',
    run: async ({ database }) => {
      const receivers = await listReceivers(database, A_DAY)
      return receivers.map(lineOf).join('\n') || 'nobody has read the revocation feed within a day'
    }
  }
}

/**
 * Waits until all that was written before is known to the receivers of the last minute that have shown the token of the
 * feed; half a minute at most. Says how many know it, whenever that changes; returns the last count, and who does not.
 */
export async function untilReceiversKnow({ database, say }: Pick<CommandContext, 'database' | 'say'>): Promise<string> {
  let pass = await numberRows(database)
  while (pass.isFull) pass = await numberRows(database)
  const begun = Date.now()
  for (let said = ''; ; ) {
    const waited = Date.now() - begun
    const all = await listReceivers(database, RECENT + waited / 1000)
    const receivers = all.filter(({ isAuthenticated }) => isAuthenticated)
    const late = receivers.filter(({ seq, isKnown }) => seq < pass.seq || !isKnown)
    const count = `${receivers.length - late.length} of ${receivers.length} receivers know it`
    if (receivers.length === 0) return 'no receiver has shown the token of the revocation feed in the last minute'
    if (late.length === 0) return count
    if (waited >= PATIENCE) return [`${count}; these have not said so:`, ...late.map(lineOf)].join('\n')
    if (count !== said) say(count)
    said = count
    await sleep(PAUSE)
  }
}

function lineOf({ userAgent, ip, seq, ago, isAuthenticated }: SeenReceiver): string {
  const name = userAgent === '' ? 'without User-Agent' : userAgent
  return `${name}, ${ip}, number ${seq}, ${Math.round(ago)} s ago${isAuthenticated ? '' : ', without token'}`
}
