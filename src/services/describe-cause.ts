/**
 * The innermost message of an error. The outer message of a failed query holds its SQL and its parameters, which belong neither
 * in a log nor in a job that people read.
 */
export function describeCause(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : "unknown error";
}
