/** The wall clock, Unix milliseconds. Decisions never read it: they take the time as an argument. */
export function readClockMs(): number {
  return Date.now();
}
