/** The wall clock, Unix milliseconds. Decisions never read it: they take the time as an argument. */
export function readClockMs(): number {
  return Date.now();
}

/** Waits, for callers that look again after a moment. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
