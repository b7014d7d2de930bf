// npm run audit: verifies, exports and shortens the audit log, on the database that npm start uses.
import { runOnDatabase } from './on-database.mjs'

// What is exported goes to standard output, and nothing else.
console.log = console.error
await runOnDatabase('audit', 'service')
