import { lengthOf } from '@latchkey/frame/settings'
import { type CodeLives, codeLife, PURPOSES, type Purpose } from './purposes.ts'
import type { Addressed } from './queue.ts'
import type { Templates } from './templates.ts'
import { TEXTS } from './texts.ts'

/** The texts of a mail. */
export interface Letter {
  readonly subject: string
  readonly text: string
  readonly html?: string
}

/** The words in braces that a text may have. */
export type Word = 'code' | 'link' | 'service' | 'within'

type Values = Partial<Record<Word, string>>

/** Writes a mail to somebody. */
export type Writer = (purpose: Purpose, addressed: Addressed) => Letter

interface WriterSettings {
  readonly publicUrl: string | undefined
  readonly issuer: string
  readonly lives: CodeLives
  readonly templates: Templates
}

/** Makes the writer of the mails: from the texts of the service, or from the templates in their place. */
export function createWriter({ publicUrl, issuer, lives, templates }: WriterSettings): Writer {
  const service = new URL(publicUrl ?? issuer).host
  return (purpose, { to, code }) => {
    const life = codeLife(purpose, lives)
    const values: Values = {
      service,
      ...(code && { code: inGroups(code) }),
      ...(life && { within: `within ${spanOf(life)}` }),
      ...(code && publicUrl && { link: linkOf(publicUrl, purpose, { to, code }) })
    }
    const own = templates.get(purpose)
    if (!own) return writeOwn(TEXTS[purpose], values)
    const { subject, body } = split(own.text)
    return {
      subject: fill(subject, values),
      text: fill(body, values),
      ...(own.html !== undefined && { html: fill(own.html, escaped(values)) })
    }
  }
}

/** Writes a code in groups, which are easier to read and type. */
function inGroups(code: string): string {
  return code.replace(/^(.{5})(.{5})(.{5})(.{5})(.+)$/, '$1-$2-$3-$4-$5')
}

// A browser does not send what follows the #, so no server on the way logs the code.
function linkOf(publicUrl: string, purpose: Purpose, { to, code }: Required<Addressed>): string {
  const { page } = PURPOSES[purpose] as { page?: string }
  return `${publicUrl.replace(/\/$/, '')}/${page}#email=${encodeURIComponent(to)}&code=${code}`
}

const UNITS = { d: 'day', h: 'hour', m: 'minute', s: 'second', ms: 'millisecond' } as const

/** Writes a number of seconds in words: `10 minutes`. */
export function spanOf(seconds: number): string {
  const [, count, unit] = /^(\d+)(\w+)$/.exec(lengthOf(seconds)) ?? []
  return `${count} ${UNITS[unit as keyof typeof UNITS]}${count === '1' ? '' : 's'}`
}

function split(text: string): { subject: string; body: string } {
  const [, subject = '', body = ''] = /^([^\r\n]*)\s*(.*)$/s.exec(text) ?? []
  return { subject, body }
}

function fill(text: string, values: Values): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, word: string) => values[word as Word] ?? '')
}

function escaped(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([word, value]) => [word, escapeHtml(value)]))
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (symbol) => `&#${symbol.charCodeAt(0)};`)
}

function writeOwn(source: string, values: Values): Letter {
  const { subject, body } = split(source)
  const paragraphs = body.split('\n\n').filter((paragraph) => values.link || !paragraph.includes('{{link}}'))
  return {
    subject: fill(subject, values),
    text: `${fill(paragraphs.join('\n\n'), values)}\n`,
    html: page(
      fill(escapeHtml(subject), escaped(values)),
      paragraphs.map((paragraph) => block(paragraph, escaped(values)))
    )
  }
}

// Inline styles, because many mail programs drop a style sheet. Nothing is loaded from elsewhere.
const CODE = 'font: 600 1.25em/1.4 ui-monospace, Menlo, Consolas, monospace; letter-spacing: 0.04em'

function block(paragraph: string, values: Values): string {
  if (paragraph === '{{code}}') return `<p style="${CODE}">${values.code}</p>`
  const html = escapeHtml(paragraph)
    .replaceAll('\n', '<br>')
    .replace('{{link}}', '<a href="{{link}}" style="word-break: break-all">{{link}}</a>')
  return `<p>${fill(html, values)}</p>`
}

function page(title: string, blocks: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
</head>
<body style="margin: 0 auto; max-width: 34em; padding: 1.5em; font: 16px/1.5 system-ui, sans-serif">
<h1 style="font-size: 1.25em">${title}</h1>
${blocks.join('\n')}
</body>
</html>
`
}
