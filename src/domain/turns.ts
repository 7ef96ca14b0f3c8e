/** Turns in which all random ids come up once: an hour of minutes. */
const TURNS = 60;
const MINUTE_MS = 60_000;
/** The first four hex digits of an id take so many values. */
const PREFIXES = 0x10000;

/** A step through a turn's ids from hour to hour; a prime, so that it comes by everywhere. */
const HOURLY_STEP = 617;

function boundAt(turn: number): number {
  return Math.floor((turn * PREFIXES) / TURNS);
}

function toPrefix(bound: number): string {
  return bound.toString(16).padStart(4, "0");
}

/** The items whose turn it is in this minute, `count` at most: one minute after the other goes on where the last stopped. */
export function pickInTurn<T>(items: readonly T[], count: number, nowMs: number): readonly T[] {
  const turns = Math.max(Math.ceil(items.length / count), 1);
  const start = (Math.floor(nowMs / MINUTE_MS) % turns) * count;
  return items.slice(start, start + count);
}

/**
 * The ids whose turn it is in this minute, as bounds for random UUIDs: from `from` up to, not including, `to`. In any sixty
 * minutes in a row each id has exactly one turn, so nobody has to remember who was last.
 *
 * `first` is where to begin within the turn, another place each hour: with more ids than one turn can see to, those that were
 * left out come first another time.
 */
export function idsInTurn(nowMs: number): { readonly from: string; readonly to: string; readonly first: string } {
  const minute = Math.floor(nowMs / MINUTE_MS);
  const turn = minute % TURNS;
  const [start, end] = [boundAt(turn), boundAt(turn + 1)];
  const first = start + ((Math.floor(minute / TURNS) * HOURLY_STEP) % (end - start));
  return { from: toPrefix(start), to: turn === TURNS - 1 ? "g" : toPrefix(end), first: toPrefix(first) };
}
