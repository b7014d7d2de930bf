import { emit } from '@latchkey/events/emit'
import type { FastifyBaseLogger } from 'fastify'
import type { KeyRing } from '../keys/folder.ts'
import { type FeedSource, MOST_ON_A_PAGE, type Page, type Pass } from '../revocations/source.ts'
import { type Group, groupsOf, MOST_ENTRIES, seqOf } from './rule.ts'
import type { SignRevocations } from './sign.ts'
import type { Question, Waiting } from './waiting.ts'

/** What the teller needs. */
export interface TellerParts {
  readonly source: FeedSource
  readonly sign: SignRevocations
  /** The keys that sign, and what reads them again; it never rejects. */
  readonly access: KeyRing
  readonly rereadKeys: () => Promise<void>
  readonly issuer: string
  readonly log: FastifyBaseLogger
}

/** Reads, signs and answers. */
export class Teller {
  readonly #parts: TellerParts
  #seq = 0
  #head: string | undefined
  /** The last place that was told as the last of all. */
  #given: string | undefined

  constructor(parts: TellerParts) {
    this.#parts = parts
  }

  /** The highest number that this instance knows. */
  get seq(): number {
    return this.#seq
  }

  /** The last place of the feed; nothing while it is not known. */
  get head(): string | undefined {
    return this.#head
  }

  /** Whether there are more entries after a place than a page has, so that no pass is needed to tell the next ones. */
  isFarBehind(after: string | null): boolean {
    return this.#seq - seqOf(after) > MOST_ON_A_PAGE
  }

  /** Notes what a pass has found. */
  async note(pass: Pass): Promise<void> {
    if (pass.seq !== this.#seq) this.#head = undefined
    this.#seq = pass.seq
    if (pass.hasKey) await this.#parts.rereadKeys()
  }

  /**
   * Answers questions, the oldest first, and as many as one turn may. Without a pass it only tells pages that have more
   * behind them, because these claim nothing.
   */
  async tell(waiting: Waiting, questions: readonly Question[], pass: Pass | undefined): Promise<void> {
    if (questions.length === 0) return
    const { sign } = this.#parts
    const told = await this.#read(questions, pass)
    await this.#rereadOwnKeys(told.map(({ page }) => page))
    await Promise.all(
      told.map(async ({ group, page }) => {
        waiting.answer(group.questions, await sign(this.#claims(group, page, pass)))
      })
    )
  }

  async #read(questions: readonly Question[], pass: Pass | undefined) {
    const { source } = this.#parts
    const pages = new Map<string | null, Page>()
    const told: { group: Group<Question>; page: Page }[] = []
    let entries = 0
    for (const group of groupsOf(questions, await this.#placesOf(questions))) {
      if (entries >= MOST_ENTRIES) break
      const page = pages.get(group.after) ?? (await source.page(group.after))
      pages.set(group.after, page)
      entries += page.entries.length
      // A page of an older database than that of the pass, as after a fail-over, is not the end.
      if (!page.more && seqOf(page.to) >= this.#seq) this.#noteHead(page.to)
      if (page.more || pass) told.push({ group, page })
    }
    return told
  }

  #noteHead(to: string): void {
    this.#head = to
    this.#given = to
    this.#seq = seqOf(to)
  }

  // After a restore the database lacks places that were given. The sweep deletes places too, all below the head.
  async #placesOf(questions: readonly Question[]): Promise<ReadonlySet<string>> {
    const asked = new Set(questions.flatMap(({ after }) => after ?? []))
    if (asked.size === 0) return asked
    const places = await this.#parts.source.known([...asked])
    const given = this.#given
    if (given === undefined || !asked.has(given) || places.has(given)) return places
    const isOther = [...places].some((place) => seqOf(place) === seqOf(given))
    if (!isOther && seqOf(given) <= this.#seq) return places
    emit(this.#parts.log, 'feed_lost', { place: given })
    this.#given = undefined
    return places
  }

  // Another instance may have numbered the end of the key that signs here; it would be believed no more.
  async #rereadOwnKeys(pages: readonly Page[]): Promise<void> {
    const { access, rereadKeys } = this.#parts
    const isOwn = pages.some(({ entries }) => entries.some(([kind, key]) => kind === 'key' && access.accepted.has(key)))
    if (isOwn) await rereadKeys()
  }

  #claims({ questions }: Group<Question>, { after, to, more, entries }: Page, pass: Pass | undefined) {
    const isComplete = pass !== undefined && !more && !pass.isFull && seqOf(to) >= pass.seq
    return {
      iss: this.#parts.issuer,
      iat: Math.floor(Date.now() / 1000),
      nonces: questions.map(({ nonce }) => nonce),
      after,
      to,
      more: !isComplete,
      complete_at: isComplete ? pass.at : null,
      entries
    }
  }
}
