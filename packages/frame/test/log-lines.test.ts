import { execFile } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { openLines } from '../src/log-lines.ts'

t.test(
  'lines that cannot be written are lost and told of at once, and their number once lines can be written again',
  async (t) => {
    const file = join(t.testdir({ log: '' }), 'log')
    const told: unknown[] = []
    const fd = openSync(file, 'a')
    const { write } = openLines(fd, { onLost: () => told.push('lost'), onRecovered: (lost) => told.push(lost) })
    write('one\n')
    closeSync(fd)
    for (const line of ['two\n', 'three\n']) t.doesNotThrow(() => write(line))
    t.strictSame(told, ['lost', 'lost'])
    // The lowest number that is free is the one that was just given back.
    t.equal(openSync(file, 'a'), fd)
    for (const line of ['four\n', 'five\n']) write(line)
    closeSync(fd)
    t.equal(readFileSync(file, 'utf8'), 'one\nfour\nfive\n')
    t.strictSame(told, ['lost', 'lost', 2])
  }
)

t.test('a line that was cut off is ended before the next', async (t) => {
  const file = join(t.testdir({ log: '' }), 'log')
  // The limit, of 1,024 bytes, ends in the middle of the eleventh line.
  const program = `
    import { ftruncateSync } from 'node:fs'
    import { openLines } from '${new URL('../dist/log-lines.js', import.meta.url)}'
    const { write } = openLines(1, { onLost() {}, onRecovered: (lost) => process.stderr.write('lost ' + lost) })
    for (let i = 0; i < 20; i += 1) write('x'.repeat(99) + '\\n')
    ftruncateSync(1)
    write('last\\n')`
  // Without what measures coverage, which writes files of its own.
  const limited = 'unset NODE_OPTIONS; ulimit -f 1; exec "$0" --input-type=module -e "$1" >>"$2"'
  const { stderr } = await promisify(execFile)('bash', ['-c', limited, process.execPath, program, file])
  t.equal(stderr, 'lost 10')
  t.equal(readFileSync(file, 'utf8'), '\nlast\n')
})
