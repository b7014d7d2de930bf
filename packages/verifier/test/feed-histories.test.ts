// Three minutes of an issuer and of receivers of its feed, with the real code and a network that a seed decides: cuts, delays, lost,
// old, half and forged answers, wall clocks that step, restarts, fail-overs that lose commits, revoked keys, a thief who has a
// key and answers in the issuer's place.
import { playHistories } from './play-histories.ts'

playHistories(30)
