// npm start: installs what is missing, builds, and runs the services with a database until it is told to stop.
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

const stop = stopSignal()
try {
  await installMissing(stop, { tools: false })
  // Imported only now, because these files need installed packages.
  const { runPair } = await import('./pair.mjs')
  await runPair(stop)
} catch (error) {
  if (error === stop.reason) console.log('Stopped.')
  else {
    console.error(`npm start: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}
