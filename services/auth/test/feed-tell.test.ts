import type { Revocations } from '@latchkey/tokens/revocations'
import t from 'tap'
import { Teller } from '../src/feed/tell.ts'
import { Waiting } from '../src/feed/waiting.ts'
import type { Page } from '../src/revocations/source.ts'

/** What is told to one question if the pass has numbered up to 105 and the page says this. */
async function tell(page: Omit<Page, 'after'>): Promise<Revocations> {
  const signed: Revocations[] = []
  const teller = new Teller({
    source: {
      page: async (after: string) => ({ ...page, after }),
      known: async (places: string[]) => new Set(places)
    } as never,
    sign: async (claims) => {
      signed.push(claims)
      return Buffer.from('')
    },
    access: { accepted: new Map() } as never,
    rereadKeys: async () => {},
    issuer: 'https://auth.example.com',
    log: {} as never
  })
  const waiting = new Waiting()
  const question = { after: '100.0123456789abcdef', nonce: 'n', client: 'c', earliest: 0, until: 0 }
  const asked = { ...question, answer: () => {}, refuse: () => {} }
  waiting.add(asked)
  const pass = { at: 1, seq: 105, numbered: 5, isFull: false, hasKey: false }
  await teller.note(pass)
  await teller.tell(waiting, [asked], pass)
  t.equal(signed.length, 1)
  return signed[0] as Revocations
}

t.test('an answer is complete if its page reaches what the pass has numbered', async (t) => {
  const page = { to: '105.0123456789abcdef', more: false, entries: [] }
  t.match(await tell(page), { more: false, complete_at: 1, to: page.to })
  t.match(await tell({ ...page, to: '106.0123456789abcdef' }), { more: false, complete_at: 1 }, 'or goes beyond')
})

t.test('a page of an older database than that of the pass claims nothing', async (t) => {
  t.match(await tell({ to: '100.0123456789abcdef', more: false, entries: [] }), { more: true, complete_at: null })
})
