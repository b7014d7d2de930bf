// Loaded before a service with --import: its clock is as many milliseconds ahead as the file CLOCK_FILE says.
import { readFileSync } from 'node:fs'

const RealDate = Date
const now = () => RealDate.now() + Number(readFileSync(String(process.env['CLOCK_FILE']), 'utf8'))

globalThis.Date = new Proxy(RealDate, {
  construct: (_target, parts) => Reflect.construct(RealDate, parts.length === 0 ? [now()] : parts),
  get: (_target, name) => (name === 'now' ? now : Reflect.get(RealDate, name))
})
