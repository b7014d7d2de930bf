import t from 'tap'
import { judgeAnswer, type PushAnswer, type Verdict, waitAfter } from '../src/signals/judge.ts'
import { judgePlace } from '../src/signals/log.ts'
import { faultOfReceiverUrl, shownUrl } from '../src/signals/receiver-url.ts'

const err = (code: unknown) => JSON.stringify({ err: code, description: 'why' })
const later = (reason: string, wait?: number): Verdict =>
  wait === undefined ? { verdict: 'later', reason } : { verdict: 'later', reason, wait }

const ANSWERS: [PushAnswer, Verdict][] = [
  [{ status: 202 }, { verdict: 'accepted' }],
  [
    { status: 400, body: err('invalid_request') },
    { verdict: 'refused', code: 'invalid_request' }
  ],
  [
    { status: 400, body: err('invalid_audience') },
    { verdict: 'refused', code: 'invalid_audience' }
  ],
  [
    { status: 400, body: err('invalid_key') },
    { verdict: 'refused', code: 'invalid_key' }
  ],
  [{ status: 400, body: err('authentication_failed') }, later('status 400, authentication_failed')],
  [{ status: 400, body: err('access_denied') }, later('status 400, access_denied')],
  // Not what RFC 8935 says a receiver answers: a proxy in front of it, perhaps.
  [{ status: 400, body: '<html>' }, later('status 400')],
  [{ status: 400, body: err('a code\nwith lines') }, later('status 400')],
  [{ status: 400, body: err(7) }, later('status 400')],
  [{ status: 400, body: 'null' }, later('status 400')],
  [{ status: 400 }, later('status 400')],
  [{ status: 200 }, later('status 200')],
  [{ status: 302 }, later('status 302')],
  [{ status: 401, body: err('invalid_request') }, later('status 401')],
  [{ status: 404 }, later('status 404')],
  [{ status: 500 }, later('status 500')],
  [{ status: 503, retryAfter: '7' }, later('status 503', 7)],
  [{ status: 429, retryAfter: '86400' }, later('status 429', 300)],
  [{ status: 429, retryAfter: 'Fri, 31 Dec 1999 23:59:59 GMT' }, later('status 429')]
]

t.test('an answer to a push accepts a SET, refuses it, or is no answer yet', async (t) => {
  for (const [answer, verdict] of ANSWERS) t.strictSame(judgeAnswer(answer), verdict, JSON.stringify(answer))
})

t.test('the wait doubles from one second to five minutes, half more or less', async (t) => {
  const waits = [1, 2, 3, 8, 9, 10, 10_000].map((failures) => waitAfter(failures, 0.5))
  t.strictSame(waits, [1, 2, 4, 128, 256, 300, 300])
  t.strictSame([waitAfter(1, 0), waitAfter(10_000, 1)], [0.5, 450])
})

t.test('a place fits the log, or its records were removed, or this is another log', async (t) => {
  const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const at = (seq: number, mark: Buffer | null = a) => ({ seq, mark, read_at: new Date(0), part: 0 })
  const log = (first: number, end: number, mark: Buffer | null = a) => ({ first, end, mark })
  t.equal(judgePlace(at(0, null), log(1, 0, null)), 'fits', 'both are empty')
  t.equal(judgePlace(at(5), log(1, 5)), 'fits', 'all was read')
  t.equal(judgePlace(at(5), log(1, 9)), 'fits')
  t.equal(judgePlace(at(5), log(6, 9, null)), 'fits', 'what was removed had been read')
  t.equal(judgePlace(at(5), log(6, 5, null)), 'fits', 'everything was removed, and had been read')
  t.equal(judgePlace(at(5), log(7, 9, null)), 'removed')
  t.equal(judgePlace(at(5), log(10, 9, null)), 'removed', 'everything was removed')
  t.equal(judgePlace(at(5), log(1, 4, null)), 'another', 'it ends before the place')
  t.equal(judgePlace(at(5), log(1, 9, b)), 'another', 'another record has the number')
  t.equal(judgePlace(at(5, null), log(1, 9, b)), 'fits', 'nothing is known of the record')
})

t.test('SETs are pushed by https, or to this machine', async (t) => {
  for (const url of [
    'https://receiver.example.com/events',
    'https://receiver.example.com:8443/e?x=1',
    'http://127.0.0.1:3000/e',
    'http://localhost/e',
    'http://[::1]:1/e'
  ])
    t.equal(faultOfReceiverUrl(url), undefined, url)
  const wrong: [string, RegExp][] = [
    ['receiver.example.com', /is no URL/],
    ['ftp://receiver.example.com/', /is no URL/],
    ['https:receiver', /is no URL/],
    ['http://receiver.example.com/e', /must begin with https/],
    ['http://127.0.0.1.example.com/e', /must begin with https/],
    ['http://169.254.169.254/latest', /must begin with https/],
    ['https://me:secret@receiver.example.com/', /--authorization-file/],
    ['https://receiver.example.com/#x', /has a #/],
    [`https://receiver.example.com/${'x'.repeat(2000)}`, /longer than 2000/]
  ]
  for (const [url, fault] of wrong) t.match(faultOfReceiverUrl(url), fault, url)
})

t.test('a query of a URL is not shown', async (t) => {
  t.equal(shownUrl('https://receiver.example.com/e?key=secret'), 'https://receiver.example.com/e?…')
  t.equal(shownUrl('https://receiver.example.com/e'), 'https://receiver.example.com/e')
})
