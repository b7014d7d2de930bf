import { runService } from '@latchkey/frame/process'

// The rest is loaded after the signal handlers are set: loading takes most of the start.
await runService('chat', async () => (await import('./start.ts')).start(process.env))
