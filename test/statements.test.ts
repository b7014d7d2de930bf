import { readdir, readFile } from 'node:fs/promises'
import { t } from 'tap'

// Types let no statement without a name through (packages/database/src/statement.ts). They cannot see that two have one.
const ROOT = new URL('..', import.meta.url)
const PARTS = ['packages/database/src', 'packages/audit/src', 'services/auth/src', 'services/chat/src']

/** The names of the statements of a folder, each with its file. */
async function namesIn(folder: string): Promise<{ name: string; file: string }[]> {
  const files = (await readdir(new URL(folder, ROOT), { recursive: true })).filter((file) => file.endsWith('.ts'))
  const found = files.map(async (file) => {
    const text = await readFile(new URL(`${folder}/${file}`, ROOT), 'utf8')
    return [...text.matchAll(/['"`]\/\* (.*?) \*\//g)].map(([, name = '']) => ({ name, file: `${folder}/${file}` }))
  })
  return (await Promise.all(found)).flat()
}

t.test('each statement has a name of its own', async (t) => {
  const all = (await Promise.all(PARTS.map(namesIn))).flat()
  const named = all.filter(({ file }) => !file.endsWith('src/statement.ts'))
  t.ok(named.length > 150, `${named.length} were found`)
  for (const { name, file } of named) {
    t.match(name, /^([a-z]+|\$\{[a-z]+\})(_[a-z]+)*$/, `${file}: ${name} is of words with _ between them`)
    t.ok(name.length <= 40, `${file}: ${name} fits into the 63 bytes of PostgreSQL with the number of its text`)
    t.same(
      named.filter((other) => other.name === name).map((other) => other.file),
      [file],
      `${name} is the name of one statement`
    )
  }
})
