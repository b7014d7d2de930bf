import t from 'tap'
import { decide, ROLES, type Role, type Rule, rolesThatMay, type Standing } from '../src/rules.ts'

// Written from the design and not from the code: who is in no role, the roles from the least, and administrators who are
// no members, in an open room.
const TABLE: Readonly<Record<Rule, string>> = {
  see: 'yes not_found yes yes yes yes',
  join: 'yes not_found yes yes yes yes',
  read: 'not_a_member not_found yes yes yes yes',
  send: 'not_a_member not_found yes yes yes not_a_member',
  leave: 'not_a_member not_found yes yes yes not_a_member',
  delete_own: 'not_a_member not_found yes yes yes yes',
  delete_other: 'not_a_member not_found insufficient_role yes yes yes',
  invite: 'not_a_member not_found insufficient_role yes yes yes',
  kick: 'not_a_member not_found insufficient_role yes yes yes',
  ban: 'not_a_member not_found insufficient_role yes yes yes',
  unban: 'not_a_member not_found insufficient_role yes yes yes',
  bans: 'not_a_member not_found insufficient_role yes yes yes',
  set_role: 'not_a_member not_found insufficient_role insufficient_role yes yes',
  rename: 'not_a_member not_found insufficient_role insufficient_role yes yes',
  close: 'not_a_member not_found insufficient_role insufficient_role yes yes'
}
const RULES = Object.keys(TABLE) as Rule[]
const NOBODY = { isPublic: false, isClosed: false, isBanned: false, isAdmin: false }
const STANDINGS: readonly Standing[] = [
  { ...NOBODY, isPublic: true },
  NOBODY,
  { ...NOBODY, role: 'member' },
  { ...NOBODY, role: 'moderator' },
  { ...NOBODY, role: 'owner' },
  { ...NOBODY, isAdmin: true }
]
/** What a closed room still allows; a member joins without a change. */
const READS: readonly Rule[] = ['see', 'read', 'bans']

for (const rule of RULES) {
  t.test(`${rule}: who may, in an open and in a closed room`, async (t) => {
    const expected = TABLE[rule].split(' ')
    const answers = STANDINGS.map((standing) => decide(rule, standing))
    t.strictSame(answers, expected)
    const closed = STANDINGS.map((standing) => decide(rule, { ...standing, isClosed: true }))
    const shut = (answer: string, n: number) => {
      const staysSo = answer !== 'yes' || READS.includes(rule) || (rule === 'join' && STANDINGS[n]?.role !== undefined)
      return staysSo ? answer : 'room_closed'
    }
    t.strictSame(closed, expected.map(shut))
  })
}

t.test('whom one may kick or ban goes by both roles, and administrators may anyone', async (t) => {
  const may: Record<Role, string> = { owner: 'moderator member', moderator: 'member', member: '' }
  for (const rule of ['kick', 'ban'] as const) {
    for (const role of ROLES) {
      for (const target of ROLES) {
        const answer = may[role].split(' ').includes(target) ? 'yes' : 'insufficient_role'
        t.equal(decide(rule, { ...NOBODY, role, target }), answer, `${role} ${rule} ${target}`)
        t.equal(decide(rule, { ...NOBODY, role, target, isAdmin: true }), 'yes', `admin ${role} ${rule} ${target}`)
      }
      const ofOutsider = role === 'member' ? 'insufficient_role' : 'yes'
      t.equal(decide(rule, { ...NOBODY, role }), ofOutsider, `${role} ${rule} an outsider`)
    }
  }
})

t.test('the banned are outsiders, and join by nothing', async (t) => {
  for (const isPublic of [true, false]) {
    for (const isAdmin of [true, false]) {
      const standing = { ...NOBODY, isPublic, isAdmin }
      for (const rule of RULES.filter((rule) => rule !== 'join')) {
        t.equal(decide(rule, { ...standing, isBanned: true }), decide(rule, standing), rule)
      }
      t.equal(decide('join', { ...standing, isBanned: true }), 'banned')
    }
  }
})

t.test('a member who is an administrator may what either may', async (t) => {
  for (const rule of RULES) {
    for (const role of ROLES) {
      const either = [decide(rule, { ...NOBODY, role }), decide(rule, { ...NOBODY, isAdmin: true })]
      t.equal(decide(rule, { ...NOBODY, role, isAdmin: true }), either.includes('yes') ? 'yes' : either[1], rule)
    }
  }
})

t.test('statements admit the roles that the table admits', async (t) => {
  t.strictSame(rolesThatMay('send'), ['owner', 'moderator', 'member'])
  t.strictSame(rolesThatMay('invite'), ['owner', 'moderator'])
  t.strictSame(rolesThatMay('rename'), ['owner'])
})
