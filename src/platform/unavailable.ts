/** Refusals of rows by SQLite are bugs of ours, not an absence of the database. */
const REFUSED_ROWS = /SQLITE_CONSTRAINT|constraint failed/i;
const FROM_D1 = /^D1_ERROR|D1 DB/;
/** Errors may be wrapped by the libraries between; deeper than this nobody wraps. */
const DEEPEST_CAUSE = 5;

/**
 * True when something the service stands on was away or too busy (a Durable Object that moved or is overloaded, D1 that did
 * not answer), so that the same request may well succeed a moment later; false for everything else, which is a bug.
 */
export function isUnavailable(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < DEEPEST_CAUSE && current instanceof Error; depth += 1) {
    if ("overloaded" in current && current.overloaded === true) return true;
    if ("retryable" in current && current.retryable === true) return true;
    if (FROM_D1.test(current.message)) return !REFUSED_ROWS.test(current.message);
    current = current.cause;
  }
  return false;
}
