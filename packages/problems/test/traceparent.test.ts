import t from 'tap'
import { readTraceparent } from '../src/traceparent.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const GOOD = `00-${TRACE}-${PARENT}-01`

t.test('a trace is read, and its text stays as it came', async (t) => {
  const good = [
    GOOD,
    `00-${TRACE}-${PARENT}-00`,
    `00-${TRACE}-${PARENT}-ff`,
    `cc-${TRACE}-${PARENT}-01`,
    `01-${TRACE}-${PARENT}-01-what.comes-later`
  ]
  for (const text of good) t.same(readTraceparent(text), { traceId: TRACE, text }, text)
})

t.test('anything else is ignored', async (t) => {
  const bad = {
    'nothing at all': '',
    'an id alone': TRACE,
    'the version that is none': `ff-${TRACE}-${PARENT}-01`,
    'a version in upper case': `0A-${TRACE}-${PARENT}-01`,
    'a trace of zeros': `00-${'0'.repeat(32)}-${PARENT}-01`,
    'a parent of zeros': `00-${TRACE}-${'0'.repeat(16)}-01`,
    'a trace in upper case': `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    'a trace that is too short': `00-${TRACE.slice(1)}-${PARENT}-01`,
    'a trace that is too long': `00-${TRACE}a-${PARENT}-01`,
    'no hex digits': `00-${TRACE.replace('4', 'g')}-${PARENT}-01`,
    'no flags': `00-${TRACE}-${PARENT}`,
    'flags of one digit': `00-${TRACE}-${PARENT}-1`,
    'more after version 00': `${GOOD}-00`,
    'more without a dash': `01-${TRACE}-${PARENT}-01x`,
    'space around it': ` ${GOOD} `,
    'a line behind it': `${GOOD}\n`,
    'two of them, as Node joins them': `${GOOD}, ${GOOD}`,
    'two of a later version': `01-${TRACE}-${PARENT}-01-x,01-${TRACE}-${PARENT}-01`,
    'control characters': `01-${TRACE}-${PARENT}-01-\u0007`,
    'a long one': `01-${TRACE}-${PARENT}-01-${'x'.repeat(250)}`
  }
  for (const [name, text] of Object.entries(bad)) t.equal(readTraceparent(text), undefined, name)
  t.equal(readTraceparent(undefined), undefined)
  t.equal(readTraceparent([GOOD]), undefined)
})
