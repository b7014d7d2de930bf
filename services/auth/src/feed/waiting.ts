import type { Problem } from '@latchkey/problems/problem'
import { type Crowd, dueAt, type Timing } from './rule.ts'

/** A question that waits for its answer. */
export interface Question extends Timing {
  readonly nonce: string
  /** The client, as it is counted. */
  readonly client: string
  answer(text: Buffer): void
  refuse(problem: Problem): void
}

/** The questions that wait at this instance, the oldest first. */
export class Waiting {
  readonly #questions = new Set<Question>()
  readonly #ofClient = new Map<string, number>()

  get size(): number {
    return this.#questions.size
  }

  crowdOf(client: string): Crowd {
    return { waiting: this.size, ofClient: this.#ofClient.get(client) ?? 0 }
  }

  add(question: Question): void {
    this.#questions.add(question)
    this.#ofClient.set(question.client, (this.#ofClient.get(question.client) ?? 0) + 1)
  }

  /** Removes a question, if it still waits; tells whether it did. */
  remove(question: Question): boolean {
    if (!this.#questions.delete(question)) return false
    const left = (this.#ofClient.get(question.client) ?? 1) - 1
    if (left > 0) this.#ofClient.set(question.client, left)
    else this.#ofClient.delete(question.client)
    return true
  }

  all(): Question[] {
    return [...this.#questions]
  }

  /** The questions that have to be answered now if the last place of the feed is `head`. */
  due(now: number, head: string | undefined): Question[] {
    return [...this.#questions].filter((question) => dueAt(question, head) <= now)
  }

  /** When the first question may be answered, if there is something to tell; Infinity if none waits. */
  get earliest(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const question of this.#questions) earliest = Math.min(earliest, question.earliest)
    return earliest
  }

  /** When the next question has to be answered; Infinity if none waits. */
  nextDue(head: string | undefined): number {
    let next = Number.POSITIVE_INFINITY
    for (const question of this.#questions) next = Math.min(next, dueAt(question, head))
    return next
  }

  /** Answers those of the questions that still wait. */
  answer(questions: readonly Question[], text: Buffer): void {
    for (const question of questions) if (this.remove(question)) question.answer(text)
  }

  /** Refuses those of the questions that still wait; by default all. */
  refuse(problem: Problem, questions: Iterable<Question> = this.#questions): void {
    for (const question of [...questions]) if (this.remove(question)) question.refuse(problem)
  }
}
