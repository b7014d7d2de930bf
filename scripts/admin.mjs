// npm run admin: the administrator's command of the auth service, on the database that npm start uses.
import { runOnDatabase } from './on-database.mjs'

// As the owner: an older database has no other user before npm start has migrated it.
await runOnDatabase('admin', 'owner')
