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

const slow = `TAP version 14
1..5
# Subtest: a.test.ts
    # too slow: a.test.ts (over 270 s, load 19 on 2 cores)
    # Subtest: outer
        not ok 1 - a real fault
        not ok 2 - timeout!
          ---
          signal: SIGALRM
          expired: TAP
          ...
        1..2
    not ok 1 - outer # time=8ms
    # Subtest: next
        # Subtest: inner
            not ok 1 - timeout!
              ---
              expired: TAP
              ...
            1..1
        not ok 1 - inner # time=8ms
        1..1
    not ok 2 - next # time=8ms
    1..2
not ok 1 - a.test.ts # time=9ms

# Subtest: b.test.ts
    ok 1 - good
    1..1
not ok 2 - b.test.ts # time=9ms
  ---
  signal: SIGKILL
  ...

not ok 3 - timeout!
  ---
  expired: b.test.ts
  ...

not ok 4 - timeout!
  ---
  expired: c.test.ts
  ...

ok 5 - d.test.ts # SKIP no tests found
# { total: 7, pass: 3, fail: 3 }
`

t.test('a file that reached its time limit is no fault, but what failed in it before is', async (t) => {
  t.same(failedTests(slow), [
    'failed: a.test.ts > outer > a real fault',
    'too slow: a.test.ts (over 270 s, load 19 on 2 cores)',
    'too slow: b.test.ts (over its time limit)',
    'too slow: c.test.ts (over its time limit)',
    'not run: 1 test file'
  ])
})
