import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type CodePurpose, PURPOSES, type Purpose } from './purposes.ts'

/** The text, whose first line is the subject, and the HTML if there is one. */
interface Template {
  readonly text: string
  readonly html?: string
}

/** The templates that stand in for texts of the service. */
export type Templates = ReadonlyMap<Purpose, Template>

const WORDS = ['code', 'link', 'service', 'within']

/** Reads the templates of a folder. Throws an error that says what is wrong. */
export function readTemplates(folder: string | undefined): Templates {
  const templates = new Map<Purpose, Template>()
  if (folder === undefined) return templates
  const files = new Map(
    readdirSync(folder)
      // Of editors, and of mounted volumes in Kubernetes.
      .filter((name) => !name.startsWith('.'))
      .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')])
  )
  for (const [name, content] of files) check(name, content)
  for (const purpose of Object.keys(PURPOSES) as Purpose[]) {
    const text = files.get(`${purpose}.txt`)
    const html = files.get(`${purpose}.html`)
    if (text === undefined && html !== undefined) {
      throw new Error(`${purpose}.html needs ${purpose}.txt beside it, whose first line is the subject`)
    }
    if (text !== undefined) templates.set(purpose, { text, ...(html !== undefined && { html }) })
  }
  return templates
}

/** Says what is wrong with a folder of templates, or nothing. */
export function faultOfTemplates(folder: string): string | undefined {
  try {
    readTemplates(folder)
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code ? `names a folder that cannot be read (${code})` : `is not usable: ${message}`
  }
}

function check(name: string, content: string): void {
  const [, purpose = ''] = /^(\w+)\.(?:txt|html)$/.exec(name) ?? []
  if (!Object.hasOwn(PURPOSES, purpose)) {
    throw new Error(
      `${name} is no template; they are called ${Object.keys(PURPOSES).join(', ')} and end in .txt or .html`
    )
  }
  for (const [word, inside = ''] of content.matchAll(/\{\{(.*?)\}\}/g)) {
    if (!WORDS.includes(inside)) throw new Error(`${name} has ${word}; it can have {{${WORDS.join('}}, {{')}}}`)
  }
  const hasCode = 'code' in PURPOSES[purpose as CodePurpose]
  if (hasCode && !content.includes('{{code}}')) throw new Error(`${name} has no {{code}}`)
  if (!hasCode && /\{\{(code|link|within)\}\}/.test(content))
    throw new Error(`${name} has no code: {{service}} alone is filled in`)
}
