import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Makes a function that does together what it was asked for in one turn of the event loop, in that order, and only then
 * answers. When `work` throws, this is the answer to its item alone.
 *
 * A signature between two requests costs more than itself: its code and theirs drive each other out of the core's caches
 * (docs/performance.md).
 */
export function inOneTurn<T, R>(work: (item: T) => R): (item: T) => Promise<R> {
  let turn: Promise<void> | undefined
  return async (item) => {
    turn ??= nextTurn().then(() => {
      turn = undefined
    })
    // All who wait go on one after the other; whoever waits for one of them comes after the last.
    await turn
    return work(item)
  }
}
