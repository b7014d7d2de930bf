const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,6})?(?:[Zz]|[+-](\d\d):(\d\d))$/

/** Longest time that {@link refuseTime} takes, in characters. */
export const LONGEST_TIME = 32

/**
 * Says what is wrong with a time, or nothing: it has to be one of RFC 3339 §5.6, that PostgreSQL can compare. So it has at
 * most microseconds, no leap second, and a zone within 16 hours of UTC.
 */
export function refuseTime(text: string): string | undefined {
  const found = text.length > LONGEST_TIME ? null : FORM.exec(text)
  const [, year, month, day, hour, minute, second, zoneHour, zoneMinute] = (found ?? []).map(Number)
  // A number that is missing compares with nothing; only the zone may be a letter.
  const numbers = [
    [year, 1, 9999],
    [month, 1, 12],
    [day, 1, lastDay(year, month)],
    [hour, 0, 23],
    [minute, 0, 59],
    [second, 0, 59],
    [zoneHour || 0, 0, 15],
    [zoneMinute || 0, 0, 59]
  ] as const
  if (numbers.every(([number = Number.NaN, least, most]) => number >= least && number <= most)) return undefined
  return 'must be a time of RFC 3339 with a zone, as in 2026-01-31T00:00:00Z; in a URL, + is %2B'
}

function lastDay(year = 0, month = 0): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}
