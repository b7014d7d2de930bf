/** The present, in milliseconds of a clock that all threads share and that nobody can set. */
export function present(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
