import { readPlace } from '@latchkey/tokens/revocations'

// What the feed decides, without any I/O. Times are milliseconds of a clock that only goes forward.

/** Least time between two passes of an instance, and between two looks. */
export const BETWEEN_PASSES = 100

/** Least time between two turns that need no pass, because they tell pages with more behind them. */
export const BETWEEN_PAGES = 25

/** How much longer a receiver waits for its next answer, for each question that waits. */
const FOR_EACH_WAITING = 0.25

/** Most texts of one turn; each is signed. */
const MOST_TEXTS = 100

/** Most questions that one text answers. */
const MOST_NONCES = 64

/** Entries after which a turn begins no further text: the others come with the next. */
export const MOST_ENTRIES = 20_000

/** How many questions of one client may wait where everybody may ask; with a token a quarter of all may, if that is more. */
const MOST_OF_CLIENT = 20

/** How many times the usual may be there for a moment, so that each is answered by the next turn. */
const CROWD = 2

/** What is asked, and when it has to be answered. */
export interface Timing {
  /** The place after which entries are asked for; null for the beginning. */
  readonly after: string | null
  /** Not answered before. */
  readonly earliest: number
  /** Answered from then on, also if there is nothing new. */
  readonly until: number
}

/** How many questions wait: all, and those of the same client. */
export interface Crowd {
  readonly waiting: number
  readonly ofClient: number
}

/** How many may wait. */
export interface Limits {
  /** At the instance. */
  readonly waiting: number
  /** Whether everybody may ask. */
  readonly isOpen: boolean
}

/**
 * Decides whether a question may wait (`wait`), is answered by the next turn (`next`), or is refused because its client
 * (`client`) or all together (`all`) ask too much.
 */
export function admit({ waiting, ofClient }: Crowd, limits: Limits): 'wait' | 'next' | 'client' | 'all' {
  // One client may not take all places, token or not, also not with questions that wait for the next turn only.
  const most = limits.isOpen ? MOST_OF_CLIENT : Math.max(MOST_OF_CLIENT, Math.floor(limits.waiting / 4))
  if (waiting >= CROWD * limits.waiting) return 'all'
  if (ofClient >= CROWD * most) return 'client'
  return waiting >= limits.waiting || ofClient >= most ? 'next' : 'wait'
}

/** Says when a question that came `now` is answered. A receiver asks again at once, so this limits how often it is told. */
export function timesOf({ wait, waiting, now }: { wait: number; waiting: number; now: number }) {
  const earliest = now + BETWEEN_PASSES + FOR_EACH_WAITING * waiting
  return { earliest, until: Math.max(earliest, now + wait) }
}

/** Whether there is nothing to tell after a place if the last place of the feed is `head`. */
export function isAtEnd(after: string | null, head: string | undefined): boolean {
  return after === head
}

/** When a question has to be answered if the last place of the feed is `head`. */
export function dueAt({ after, earliest, until }: Timing, head: string | undefined): number {
  return isAtEnd(after, head) ? until : earliest
}

/** Equal questions, which one text answers. */
export interface Group<Q> {
  readonly after: string | null
  readonly questions: readonly Q[]
}

/** Puts questions into groups, at most 100, by the oldest question of each. `places` are those that the feed has. */
export function groupsOf<Q extends Timing>(questions: readonly Q[], places: ReadonlySet<string>): Group<Q>[] {
  const groups: { after: string | null; questions: Q[] }[] = []
  const open = new Map<string | null, Q[]>()
  for (const question of questions) {
    const after = question.after !== null && places.has(question.after) ? question.after : null
    const group = open.get(after)
    if (group && group.length < MOST_NONCES) group.push(question)
    else if (groups.length < MOST_TEXTS) {
      const begun = [question]
      groups.push({ after, questions: begun })
      open.set(after, begun)
    }
  }
  return groups
}

/** The number of a place. */
export function seqOf(place: string | null | undefined): number {
  return place ? readPlace(place).seq : 0
}
