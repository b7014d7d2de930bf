import type { Queryable } from '@latchkey/database/pool'
import type { personalDataOf, SealedRecord } from './chain.ts'
import { deletedAmong } from './pages.ts'

/** Records whose personal data were erased. */
export interface ErasureCounts {
  /** With the account of their person, as a record tells. */
  erased: number
  /** At the beginning, where the record of the deletion may have been removed as too old. */
  maybe: number
}

/** Personal data that come after a deletion are erased for so long, in milliseconds. */
const LATE = 2 * 86_400_000

/** Most faults of personal data that are told one by one. */
const MOST = 1000

/** Checks that personal data are what was sealed, and erased only of people whose account was deleted. */
export class Erasures {
  readonly counts: ErasureCounts = { erased: 0, maybe: 0 }
  readonly #tell: (fault: string) => void
  #page: SealedRecord[] = []
  #told = 0
  #removedUntil = Number.NEGATIVE_INFINITY

  constructor(tell: (fault: string) => void) {
    this.#tell = tell
  }

  /** Notes when the head was stored up to which older records were removed. */
  begin(removedUntil: Date | undefined): void {
    if (removedUntil) this.#removedUntil = removedUntil.getTime()
  }

  see(record: SealedRecord, state: ReturnType<typeof personalDataOf>): void {
    if (state === 'erased') this.#page.push(record)
    if (state === 'altered') this.#fault(`the personal data of record ${record.seq} (${record.id}) were altered`)
  }

  /** Looks for the deletions of the people of the last page. */
  async endPage(connection: Queryable): Promise<void> {
    const people = new Set(this.#page.flatMap(({ person_id }) => person_id ?? []))
    const deleted = people.size === 0 ? new Set<string>() : await deletedAmong(connection, [...people])
    for (const { seq, id, person_id, at } of this.#page) {
      if (person_id !== null && deleted.has(person_id)) this.counts.erased += 1
      else if (person_id !== null && Date.parse(at) < this.#removedUntil + LATE) this.counts.maybe += 1
      else {
        const whose = person_id === null ? 'nobody' : `user ${person_id}, whose account no record tells to be deleted`
        this.#fault(`the personal data of record ${seq} (${id}) were erased: they are of ${whose}`)
      }
    }
    this.#page = []
  }

  #fault(fault: string): void {
    this.#told += 1
    if (this.#told < MOST) this.#tell(fault)
    if (this.#told === MOST) this.#tell(`${fault}. More records like this are not named`)
  }
}
