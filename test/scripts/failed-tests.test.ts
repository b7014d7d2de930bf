import t from 'tap'
import { failedTests } from '../../scripts/failed-tests.mjs'

const output = `TAP version 14
# Subtest: a.test.ts
    # Subtest: outer
        ok 1 - good
        # Subtest: inner
            not ok 1 - bad
              ---
              at:
                fileName: test/helper.ts
                lineNumber: 4
              ...
            not ok 2 - some day # TODO
            not ok 3 - elsewhere # SKIP
            1..3
        not ok 2 - inner # time=7ms
        1..2
    not ok 1 - outer # time=8ms
    1..1
not ok 1 - a.test.ts # time=9ms

# Subtest: b.test.ts
    ok 1 - good
    1..1
not ok 2 - b.test.ts # time=9ms
  ---
  exitCode: 1
  ...

not ok 3 - c.test.ts # time=9ms {
    not ok 1 - boom
    1..1
}

ok 4 - d.test.ts # time=9ms {
    ok 1 - good
    1..1
}

1..4
# { total: 7, pass: 3, fail: 3 }
`

t.test('what failed is named, once', async (t) => {
  t.same(failedTests(output), [
    'failed: a.test.ts > outer > inner > bad (test/helper.ts:4)',
    'failed: b.test.ts',
    'failed: c.test.ts > boom'
  ])
  t.same(failedTests('TAP version 14\nok 1 - a.test.ts\n1..1\n'), [])
})
