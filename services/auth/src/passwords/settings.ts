import { duration, integer } from '@latchkey/frame/settings'
import { Type } from 'typebox'

/** The settings of passwords and of their hashing. */
export const passwordSettings = {
  BCRYPT_COST: integer({
    minimum: 10,
    maximum: 15,
    default: '11',
    description:
      'Work of one password hash; each step doubles the time of a login and of a guess. A password change is two of them, and has to be done within PASSWORD_TIMEOUT. Raised, old hashes are renewed at the next login.'
  }),
  PASSWORD_MIN_LENGTH: integer({
    minimum: 1,
    maximum: 72,
    default: '8',
    description:
      'Fewest characters (code points) of a new password. NIST SP 800-63B-4 asks for 15 where nothing but the password protects.'
  }),
  PASSWORD_TIMEOUT: duration({
    maximum: 300,
    minimum: 0.05,
    default: '3s',
    description:
      'Longest time to hash a password, with the wait for a thread. The service answers 503 after eight tenths of it, and at once if the threads have too much to do.'
  }),
  HASH_THREADS: Type.Optional(
    integer({
      minimum: 1,
      maximum: 128,
      description:
        'Threads that hash passwords, 9 MB each: as many are hashed at once. Unset, there is one for each core that the service may use, 8 at the most.'
    })
  )
}
