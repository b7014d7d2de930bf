import type { ExecutionArgs } from 'graphql'

/** Most operations of one socket at once, subscriptions and others. */
export const MOST_OPERATIONS = 50

/** The ids that graphql-ws keeps: of the operations that the client has begun and not completed. */
interface Open {
  readonly subscriptions: Readonly<Record<string, unknown>>
}

interface Operation {
  readonly id: string
  readonly open: Open
  /** The client has completed it, and used its id for another one. */
  isReplaced: boolean
}

/**
 * The operations of one socket that wait or run. One that the client completes before its end is forgotten by graphql-ws at
 * once; here it counts until it is done.
 */
export class Operations {
  readonly #working = new Map<ExecutionArgs, Operation>()

  /** Whether there is a place for one more, whose id is among the open ones already. */
  hasPlace(id: string, open: Open): boolean {
    for (const operation of this.#working.values()) if (operation.id === id) operation.isReplaced = true
    const givenUp = [...this.#working.values()].filter((operation) => !isWanted(operation))
    return Object.keys(open.subscriptions).length + givenUp.length <= MOST_OPERATIONS
  }

  /** Counts one more, until {@link run} is through with it. */
  add(id: string, open: Open, args: ExecutionArgs): void {
    this.#working.set(args, { id, open, isReplaced: false })
  }

  /**
   * Does an operation. `work` can ask whether the client still wants it. If not, nothing comes of it, and the promise stays
   * open: graphql-ws would answer under its id, which may be that of another operation now.
   */
  async run<T>(args: ExecutionArgs, work: (isStillWanted: () => boolean) => T | Promise<T>): Promise<T> {
    const operation = this.#working.get(args)
    if (!operation) throw new TypeError('the operation was not counted')
    try {
      const result = await work(() => isWanted(operation))
      if (isWanted(operation)) return result
      if (isStream(result)) await result.return()
      return new Promise<never>(() => {})
    } finally {
      this.#working.delete(args)
    }
  }
}

function isWanted({ id, open, isReplaced }: Operation): boolean {
  return !isReplaced && id in open.subscriptions
}

function isStream(result: unknown): result is { return(): Promise<unknown> } {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
