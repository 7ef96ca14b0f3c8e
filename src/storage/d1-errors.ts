/** Names in D1's message what SQLite refused; the error's class and code are lost on the way. */
const CONSTRAINT_PATTERN = /SQLITE_CONSTRAINT|constraint failed/i;

/**
 * True when D1 refused the rows themselves (a foreign key, a CHECK, a unique key), so that the same statement will fail
 * again until something else changes; false when D1 could not be reached or failed. Looks through wrapped errors.
 */
export function isD1ConstraintError(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if (CONSTRAINT_PATTERN.test(current.message)) return true;
    current = current.cause;
  }
  return false;
}
