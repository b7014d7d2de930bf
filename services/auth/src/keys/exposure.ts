/** The permissions of a file, as `stat` returns them. */
export interface FileRights {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The identity of a process. */
interface Identity {
  readonly uid: number
  readonly groups: readonly number[]
}

/**
 * Tells whether only this process's user and groups can read a key file, and only its owner can write it.
 *
 * This includes files of root or of our user that one of our groups can only read: a Secret of Kubernetes with an
 * `fsGroup` belongs to root and has mode 0440.
 */
export function isPrivate({ mode, uid, gid }: FileRights, us: Identity): boolean {
  if ((mode & 0o077) === 0) return true
  return (mode & 0o027) === 0 && (uid === 0 || uid === us.uid) && us.groups.includes(gid)
}

/** The identity of this process. On systems without users, such as Windows, it matches nobody. */
export function ownIdentity(): Identity {
  const { geteuid, getegid, getgroups } = process
  return { uid: geteuid?.() ?? -1, groups: [getegid?.() ?? -1, ...(getgroups?.() ?? [])] }
}
