import { runService } from '@latchkey/frame/process'

// The rest is read with the signals in hand: that takes longer than all else of a start.
await runService('resource', async () => (await import('./start.ts')).start(process.env))
