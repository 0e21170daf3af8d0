let lastDay = Number.NaN;
let lastMonth = Number.NaN;

/** First day of the UTC month an instant lies in, in milliseconds since 1970. Messages of a batch arrive on one day, mostly. */
export function monthOf(instant: Date): number {
  const day = Math.floor(instant.getTime() / 86_400_000);
  if (day !== lastDay) {
    lastDay = day;
    lastMonth = Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth(), 1);
  }
  return lastMonth;
}

/** Comparator by several text keys, in code unit order: the one order in which all recorders take their locks. */
export function byKeys<T>(keysOf: (value: T) => readonly string[]): (a: T, b: T) => number {
  return (a, b) => {
    const left = keysOf(a);
    const right = keysOf(b);
    for (const [i, key] of left.entries()) {
      const other = right[i] ?? '';
      if (key !== other) return key < other ? -1 : 1;
    }
    return 0;
  };
}
