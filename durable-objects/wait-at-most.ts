/**
 * Waits for work that goes on by itself, but no longer than `ms`. @throws what the work throws meanwhile.
 * The timer is taken away when the work is done: each one that fires costs.
 */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([work, scheduler.wait(ms, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
