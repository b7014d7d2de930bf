// npm run audit: verifies, exports and shortens the audit log of a service, on the database that npm start uses.
import { runOnDatabase } from './on-database.mjs'
import { takeService } from './take-service.mjs'

// What is exported goes to standard output, and nothing else.
console.log = console.error
await runOnDatabase('audit', 'service', takeService)
