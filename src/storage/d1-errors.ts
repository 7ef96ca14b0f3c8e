/** Names in D1's message what SQLite refused; the error's class and code are lost on the way. */
const CONSTRAINT_PATTERN = /SQLITE_CONSTRAINT|constraint failed/i;

/** A value, or the text of many rows, that is too big, and a value of a type that its column does not take. */
const UNFIT_PATTERN = /SQLITE_TOOBIG|SQLITE_MISMATCH/;

/**
 * True when rows broke a constraint of D1 (a foreign key, a CHECK, a unique key), so that the same statement will fail
 * again until something else changes. Looks through wrapped errors.
 */
export function isD1ConstraintError(error: unknown): boolean {
  return hasMessage(error, CONSTRAINT_PATTERN);
}

/**
 * True when D1 refused the rows themselves: they broke a constraint or do not fit, and fewer of them may pass. False when D1 could not
 * be reached or failed, is full, or does not understand the statement: before a migration has run, it would refuse every row.
 */
export function isD1Refusal(error: unknown): boolean {
  return isD1ConstraintError(error) || hasMessage(error, UNFIT_PATTERN);
}

function hasMessage(error: unknown, pattern: RegExp): boolean {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if (pattern.test(current.message)) return true;
    current = current.cause;
  }
  return false;
}
