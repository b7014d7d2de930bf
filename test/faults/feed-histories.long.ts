// As feed-histories.test.ts of the verifier, with more histories.
import { playHistories } from '../../packages/verifier/test/play-histories.ts'

playHistories(240)
