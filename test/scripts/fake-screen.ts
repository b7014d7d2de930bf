import { openScreen } from '../../scripts/screen.mjs'

/** A screen that is a terminal, or not; `seen` is what a person has before the eyes, with the line that is rewritten. */
export function fakeScreen({ isTTY = true, columns = 80, colors = false, env = {} as Record<string, string> } = {}) {
  let written = ''
  const write = (text: string) => {
    written += text
  }
  const screen = openScreen({ write, isTTY, columns, hasColors: () => colors }, env)
  const seen = () =>
    written
      .split('\n')
      .map((line) => line.split('\r\x1b[2K').at(-1))
      .join('\n')
  return { screen, written: () => written, seen }
}
