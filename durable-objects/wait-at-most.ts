/**
 * Waits for work that goes on by itself, but no longer than `ms`. @throws what the work throws meanwhile.
 * The timer is taken away when the work is done: each one that fires costs. (`scheduler.wait` with a signal would do the same, but
 * the abort makes an error with its stack each time.)
 */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}
