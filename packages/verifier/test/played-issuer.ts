import { createHmac, randomUUID } from 'node:crypto'
import type { RevocationEntry, Revocations } from '@latchkey/tokens/revocations'
import { compact, type Members } from '../../testing/src/tokens.ts'
import type { VerificationKey } from '../src/jwk.ts'
import { type FakeFeedClock, ISSUER, ISSUER_ORIGIN, News, placeOf, revokedKey } from './fake-feed.ts'

/** A key whose signature costs a microsecond: the simulation is about time, not about RSA. */
export interface PlayedKey extends VerificationKey {
  sign(input: Buffer): Buffer
}

function playedKey(kid: string, secret = kid): PlayedKey {
  const sign = (input: Buffer) => createHmac('sha256', secret).update(input).digest()
  const verifies = (text: string) => {
    const end = text.lastIndexOf('.')
    return sign(Buffer.from(text.slice(0, end))).toString('base64url') === text.slice(end + 1)
  }
  return { kid, jwk: { kty: 'RSA', n: '', e: '', kid }, sign, verifies }
}

/** A question of a receiver. */
export interface PlayedQuestion {
  readonly after: string | null
  readonly nonce: string
}

/** Entries of an answer. */
const PAGE = 20

/** The feed of an issuer whose database may lose commits, and whose keys may be revoked. */
export class PlayedIssuer {
  readonly #news: News
  readonly #clock: FakeFeedClock
  #rows: { place: string; entry: RevocationEntry | undefined }[] = [{ place: placeOf(0), entry: undefined }]
  #published = [playedKey('key0'), playedKey('key1')] as const
  #keys = 2
  #branch = 0

  constructor(clock: FakeFeedClock) {
    this.#clock = clock
    this.#news = new News(clock)
  }

  /** Seconds since 1970. */
  now(): number {
    return this.#clock.elapsed() / 1000 + ISSUER_ORIGIN
  }

  /** The key that signs, and the next one. */
  get published(): readonly [PlayedKey, PlayedKey] {
    return this.#published
  }

  /** Adds an entry to the feed. */
  end(entry: RevocationEntry): void {
    this.#rows.push({ place: placeOf(this.#rows.length, this.#mark), entry })
    this.#news.tell()
  }

  /** Revokes the key that signs: the next one signs at once. */
  revokeKey(): void {
    const [bad, next] = this.#published
    this.#published = [next, playedKey(`key${this.#keys}`)]
    this.#keys += 1
    this.end(revokedKey(bad.kid))
  }

  /** Loses the last rows: their numbers are given again. Returns the entries that are lost; revoked keys are not. */
  failOver(count: number): RevocationEntry[] {
    const kept = Math.max(1, this.#rows.length - count)
    const lost = this.#rows.slice(kept).flatMap(({ entry }) => (entry ? [entry] : []))
    this.#rows = this.#rows.slice(0, kept)
    this.#branch += 1
    // An instance that has seen a revoked key writes it again.
    for (const entry of lost) if (entry[0] === 'key') this.end(entry)
    this.#news.tell()
    return lost.filter(([kind]) => kind !== 'key')
  }

  /** Resolves when there is something after a place, or after so many seconds. */
  async wait(after: string | null, seconds: number): Promise<void> {
    if (after === this.#rows.at(-1)?.place) await this.#news.wait(seconds)
  }

  /** The answer to a question, as of now. */
  answer({ after, nonce }: PlayedQuestion): string {
    const known = this.#rows.findIndex(({ place }) => place === after)
    const told = this.#rows.slice(known + 1, known + 1 + PAGE)
    const more = known + told.length < this.#rows.length - 1
    const claims: Revocations = {
      iss: ISSUER,
      iat: Math.floor(this.now()),
      nonces: [nonce, randomUUID()],
      after: known < 0 ? null : after,
      to: (told.at(-1) ?? this.#rows.at(-1))?.place ?? '',
      more,
      complete_at: more ? null : this.now(),
      entries: told.flatMap(({ entry }) => (entry ? [entry] : []))
    }
    return signed(claims, this.#published[0])
  }

  get #mark(): string {
    return 'abcdef'.charAt(this.#branch % 6)
  }
}

/** What somebody answers in the issuer's place who has a key, or has none and uses its name. */
export function forged(
  question: PlayedQuestion,
  entries: RevocationEntry[],
  { key, now }: { key: PlayedKey; now: number }
): string {
  const seq = Number(question.after?.split('.')[0] ?? 0) + 1
  const claims = { iss: ISSUER, iat: Math.floor(now), nonces: [question.nonce], more: false, complete_at: now, entries }
  return signed({ ...claims, after: question.after, to: placeOf(seq, '0') }, key)
}

/** A key of a stranger with the name of another one. */
export const strangersKey = (kid: string) => playedKey(kid, 'stranger')

function signed(claims: Revocations, key: PlayedKey): string {
  return compact({ alg: 'RS256', typ: 'revocations+jwt', kid: key.kid }, claims as unknown as Members, key.sign)
}
