// Tap runs this once, after all test files, also when some of them failed.
import { removeCluster } from './remove-cluster.ts'

await removeCluster()
