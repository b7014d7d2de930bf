interface ForeignHash {
  readonly maker: string
  readonly hash: string
  readonly password: string
}

const PASSWORD = 'grüne Äpfel im Garten'

/** Hashes that other programs made, all of cost 4. */
export const OTHERS: readonly [ForeignHash, ...ForeignHash[]] = [
  {
    maker: 'bcrypt 5.0.0 of Python',
    hash: '$2b$04$LKU/Db5ngIXmzIY4jdgJ0.5KTAWNKcN0uS8g5UFDJZe1wHaO8qfd2',
    password: PASSWORD
  },
  {
    maker: 'the same with $2a$',
    hash: '$2a$04$TWxy.36PoqPfHWogvOoWHuaCv0W477sVoOb6EveU3CydAltcCDxve',
    password: PASSWORD
  },
  {
    maker: 'the same, with 72 bytes',
    hash: '$2b$04$loIniubAcNOXVNkjnZ9rH.A1Vk8xsaszHwMlnOvIukf6y8Wo3vCgu',
    password: `${'x'.repeat(70)}yz`
  },
  {
    maker: 'htpasswd of Apache 2.4',
    hash: '$2y$04$mLh3aUPvjg5KBjMjW87EceqEspnQLRziiV6ZBuMrtpQTJ2P/WFJji',
    password: PASSWORD
  },
  {
    maker: 'crypt of libxcrypt, as PHP has it',
    hash: '$2y$04$abcdefghijklmnopqrstuukDHf92M5p7UgJPsdOJsBf8qMiK5M0Oy',
    password: PASSWORD
  },
  {
    maker: 'the same as a program keeps it that leaves unused bits in the salt',
    hash: '$2y$04$abcdefghijklmnopqrstuvkDHf92M5p7UgJPsdOJsBf8qMiK5M0Oy',
    password: PASSWORD
  }
]
