import t from 'tap'
import { countLine } from '../../scripts/count-line.mjs'

t.test('the counts of a run in one line', async (t) => {
  const lines = {
    '# { total: 7, pass: 6, fail: 1 }': '6 passed, 1 failed',
    '# { total: 1, pass: 1 }': '1 passed, 0 failed',
    '# { total: 9, pass: 4, fail: 2, todo: 1, skip: 2 }': '4 passed, 2 failed, 3 skipped'
  }
  for (const [summary, line] of Object.entries(lines)) t.equal(countLine(`ok 1\n${summary}\n# time=1ms\n`), line)
  const nested = '# { total: 2, pass: 2 }\n    # { total: 5, pass: 5 }\n'
  t.equal(countLine(nested), '2 passed, 0 failed', 'not those of a test inside')
  t.equal(countLine('ok 1\n'), '0 passed, 1 failed', 'a run without an end has failed')
})
