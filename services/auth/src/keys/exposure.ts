/** Of a file, as `stat` tells it. */
export interface FileRights {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Whom the system takes a process for. */
interface Identity {
  readonly uid: number
  readonly groups: readonly number[]
}

/**
 * Tells whether nobody can read a key file who is a stranger to the process, and nobody but its owner can write it.
 *
 * Besides files of one user these are files of root's or our own that a group of ours can read, and only read: so lies a
 * Secret of Kubernetes under an `fsGroup`, root's and with the mode 0440.
 */
export function isPrivate({ mode, uid, gid }: FileRights, us: Identity): boolean {
  if ((mode & 0o077) === 0) return true
  return (mode & 0o027) === 0 && (uid === 0 || uid === us.uid) && us.groups.includes(gid)
}

/** The identity of this process. Where the system has no users, as Windows has none of these, it is nobody's. */
export function ownIdentity(): Identity {
  const { geteuid, getegid, getgroups } = process
  return { uid: geteuid?.() ?? -1, groups: [getegid?.() ?? -1, ...(getgroups?.() ?? [])] }
}
