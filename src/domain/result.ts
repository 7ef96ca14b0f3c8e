/** An expected outcome: a value, or a refusal that carries its own facts. Thrown errors are bugs or the platform, never refusals. */
export type Result<T, F> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: F };

/** The success side of a {@link Result}. */
export function succeed<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The refusal side of a {@link Result}. */
export function refuse<F>(failure: F): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}

/**
 * Throws when a condition the code relies on does not hold. The caller sees 500 and a request id; a retry may not help.
 * @throws Error with `message`, which must not contain personal data or secrets.
 */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}
