/** Turns in which all random ids come up once: an hour of minutes. */
const TURNS = 60;
const MINUTE_MS = 60_000;
/** The first four hex digits of an id take so many values. */
const PREFIXES = 0x10000;

function prefixAt(turn: number): string {
  return Math.floor((turn * PREFIXES) / TURNS)
    .toString(16)
    .padStart(4, "0");
}

/**
 * The ids whose turn it is in this minute, as bounds for random UUIDs: from `from` up to, not including, `to`. In any sixty
 * minutes in a row each id has exactly one turn, so nobody has to remember who was last.
 */
export function idsInTurn(nowMs: number): { readonly from: string; readonly to: string } {
  const turn = Math.floor(nowMs / MINUTE_MS) % TURNS;
  return { from: prefixAt(turn), to: turn === TURNS - 1 ? "g" : prefixAt(turn + 1) };
}
