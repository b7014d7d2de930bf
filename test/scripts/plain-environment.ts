/**
 * The environment for a process that is to run as it does outside of tap, which would measure it (and slow it down
 * several times), and without settings of the person's own that a test must not see.
 */
export function plainEnvironment(extra: Record<string, string> = {}): Record<string, string | undefined> {
  const { NODE_OPTIONS: _options, DATABASE_URL: _url, DATABASE_URL_FILE: _file, ...rest } = process.env
  return { ...rest, ...extra }
}
