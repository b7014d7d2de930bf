import type { Problem } from '@latchkey/problems/problem'
import { Heap } from './heap.ts'
import { type Crowd, isAtEnd, type Timing } from './rule.ts'

/** A question that waits for its answer. */
export interface Question extends Timing {
  readonly nonce: string
  /** The client, as it is counted. */
  readonly client: string
  answer(text: Buffer): void
  refuse(problem: Problem): void
}

/** A question with its number: they are counted as they come. */
interface Entry {
  readonly question: Question
  readonly number: number
  isOver: boolean
}

/** The questions after one place, by both of their times. */
class OfPlace {
  readonly #earliest = new Heap<Entry>(({ question }) => question.earliest, isOver)
  readonly #until = new Heap<Entry>(({ question }) => question.until, isOver)
  readonly #after: string | null
  count = 0

  constructor(after: string | null) {
    this.#after = after
  }

  add(entry: Entry): void {
    this.count += 1
    for (const heap of [this.#earliest, this.#until]) heap.add(entry)
  }

  /** One of them is over. */
  drop(): void {
    this.count -= 1
    // Of clients that come and go at once.
    for (const heap of [this.#earliest, this.#until]) if (heap.size > 2 * this.count + 64) heap.clean()
  }

  get earliest(): number {
    return this.#earliest.earliest()
  }

  nextDue(head: string | undefined): number {
    return this.#heap(head).earliest()
  }

  collectDue(now: number, head: string | undefined, found: Entry[]): void {
    this.#heap(head).collect(now, found)
  }

  // By the time that `dueAt` says.
  #heap(head: string | undefined): Heap<Entry> {
    return isAtEnd(this.#after, head) ? this.#until : this.#earliest
  }
}

/**
 * The questions that wait at this instance. Almost all of them ask after the last place, so what has to be done next is found by place,
 * without looking at each.
 */
export class Waiting {
  readonly #entries = new Map<Question, Entry>()
  readonly #ofPlace = new Map<string | null, OfPlace>()
  readonly #ofClient = new Map<string, number>()
  #number = 0

  get size(): number {
    return this.#entries.size
  }

  /** The number of the question that came last. */
  get last(): number {
    return this.#number
  }

  crowdOf(client: string): Crowd {
    return { waiting: this.size, ofClient: this.#ofClient.get(client) ?? 0 }
  }

  add(question: Question): void {
    this.#number += 1
    const entry = { question, number: this.#number, isOver: false }
    this.#entries.set(question, entry)
    const equal = this.#ofPlace.get(question.after) ?? new OfPlace(question.after)
    this.#ofPlace.set(question.after, equal)
    equal.add(entry)
    this.#ofClient.set(question.client, (this.#ofClient.get(question.client) ?? 0) + 1)
  }

  /** Removes a question, if it still waits; tells whether it did. */
  remove(question: Question): boolean {
    const entry = this.#entries.get(question)
    if (!entry) return false
    entry.isOver = true
    this.#entries.delete(question)
    const equal = this.#ofPlace.get(question.after)
    equal?.drop()
    if (equal?.count === 0) this.#ofPlace.delete(question.after)
    const left = (this.#ofClient.get(question.client) ?? 1) - 1
    if (left > 0) this.#ofClient.set(question.client, left)
    else this.#ofClient.delete(question.client)
    return true
  }

  /**
   * The questions that have to be answered now if the last place of the feed is `head`, the oldest first; only those up to the
   * number `last`, by default all.
   */
  due(now: number, head: string | undefined, last = this.#number): Question[] {
    const found: Entry[] = []
    for (const equal of this.#ofPlace.values()) equal.collectDue(now, head, found)
    const old = found.filter(({ number }) => number <= last)
    return old.sort((a, b) => a.number - b.number).map(({ question }) => question)
  }

  /** When the first question may be answered, if there is something to tell; Infinity if none waits. */
  get earliest(): number {
    return Math.min(...[...this.#ofPlace.values()].map((equal) => equal.earliest))
  }

  /** When the next question has to be answered; Infinity if none waits. */
  nextDue(head: string | undefined): number {
    return Math.min(...[...this.#ofPlace.values()].map((equal) => equal.nextDue(head)))
  }

  /** Answers those of the questions that still wait. */
  answer(questions: readonly Question[], text: Buffer): void {
    for (const question of questions) if (this.remove(question)) question.answer(text)
  }

  /** Refuses those of the questions that still wait; by default all. */
  refuse(problem: Problem, questions: Iterable<Question> = this.#entries.keys()): void {
    for (const question of [...questions]) if (this.remove(question)) question.refuse(problem)
  }
}

function isOver(entry: Entry): boolean {
  return entry.isOver
}
