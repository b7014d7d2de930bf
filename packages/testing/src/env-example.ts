import { lengthOf } from '@latchkey/frame/settings'
import type { TObject } from 'typebox'

/** One setting as `.env.example` has it: what is said of it, and the line that sets it. */
interface Entry {
  readonly about: string
  readonly line: string
}

interface Setting {
  readonly description: string
  readonly default?: string
  readonly duration?: { minimum: number; maximum: number; zero?: true }
  readonly integer?: { minimum: number; maximum: number }
  readonly enum?: readonly string[]
  readonly file?: true
}

/** What `.env.example` must say of these settings: what each is, its form and its default, which is commented out. */
export function expectedEntries(settings: TObject): Entry[] {
  return Object.entries(settings.properties as unknown as Record<string, Setting>).map(([name, setting]) => {
    const required = setting.default === undefined && settings.required?.includes(name)
    const facts = [
      setting.description,
      ...formOf(setting),
      ...(setting.file ? [`Or ${name}_FILE: the path of a file that holds it.`] : []),
      required ? 'Required.' : `Default: ${setting.default ?? 'unset'}.`
    ]
    return { about: facts.join(' '), line: `${required ? '' : '#'}${name}=${setting.default ?? ''}` }
  })
}

function formOf({ duration, integer, enum: words }: Setting): string[] {
  if (duration) {
    const range = `from ${lengthOf(duration.minimum)} to ${lengthOf(duration.maximum)}`
    return [`A whole number and ms, s, m, h or d, ${range}${duration.zero ? ', or 0' : ''}.`]
  }
  if (integer) return [`A whole number from ${integer.minimum} to ${integer.maximum}.`]
  return words ? [`One of ${words.join(', ')}.`] : []
}

/** The settings that a `.env.example` has; its text before the first blank line is about the file itself. */
export function readEntries(file: string): Entry[] {
  const [, ...blocks] = file.trim().split(/\n{2,}/)
  return blocks.map((block) => {
    const lines = block.split('\n')
    const line = lines.pop() ?? ''
    return { about: lines.map((comment) => comment.replace(/^# /, '')).join(' '), line }
  })
}
