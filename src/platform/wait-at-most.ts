/**
 * Waits for work that goes on by itself, but no longer than `ms`. @returns whether it is done. @throws what the work throws meanwhile.
 * The timer is taken away when the work is done: each one that fires costs. (`scheduler.wait` with a signal would do the same, but
 * the abort makes an error with its stack each time.)
 */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), patience]);
  } finally {
    clearTimeout(timer);
  }
}

/** A call had no answer in time. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
  /** As on the platform's own errors: goes with it to whoever called, and says that the same call may succeed later. */
  readonly retryable = true;
}

/**
 * What the call `name` answers, which may take `ms` and no longer. @throws what the call throws, or NoAnswerError: an answer may come yet, and
 * what was asked for may be done, so only ask for what can be asked for again.
 */
export async function answerWithin<T>(name: string, call: Promise<T>, ms: number): Promise<T> {
  if (!(await waitAtMost(call, ms))) throw new NoAnswerError(`no answer to ${name} within ${ms / 1000} s`);
  return call;
}
