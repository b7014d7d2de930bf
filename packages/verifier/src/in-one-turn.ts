import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Makes a function that collects the items of one turn of the event loop, and then works on them in order. If `work`
 * throws, only its item fails.
 *
 * A signature between two requests costs more than itself, because its code and theirs displace each other from the CPU
 * caches (docs/performance.md).
 */
export function inOneTurn<T, R>(work: (item: T) => R): (item: T) => Promise<R> {
  let turn: Promise<void> | undefined
  return async (item) => {
    turn ??= nextTurn().then(() => {
      turn = undefined
    })
    // All that wait continue one after the other, before the code that waits for one of them.
    await turn
    return work(item)
  }
}
