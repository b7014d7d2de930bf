import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

// process-fixture.mjs on a machine where localhost is ::1 and 127.0.0.1, as on most but not on all.
const SIX = { address: '::1', family: 6 }
const FOUR = { address: '127.0.0.1', family: 4 }
const { lookup, promises } = dns
const lookupLater = promises.lookup

/** What the system would say of localhost. @param {{ verbatim?: boolean }} options */
const first = ({ verbatim = true }) => (verbatim ? SIX : FOUR)

Object.assign(dns, {
  /**
   * @param {string} host
   * @param {any} options
   * @param {any} done
   */
  lookup(host, options, done = options) {
    if (host !== 'localhost') return lookup(host, options, done)
    if (options.all) process.nextTick(done, null, [SIX, FOUR])
    else process.nextTick(done, null, first(options).address, first(options).family)
  }
})
Object.assign(promises, {
  /**
   * @param {string} host
   * @param {{ verbatim?: boolean }} options
   */
  lookup: async (host, options = {}) => (host === 'localhost' ? first(options) : lookupLater(host, options))
})
syncBuiltinESMExports()

await import('./process-fixture.mjs')
