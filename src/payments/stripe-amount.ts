/** ISO 4217 gives these no decimals; Stripe still takes two, which must be zeros. */
const TWO_ZEROS_MORE: readonly string[] = ["ISK", "UGX"];

/** ISO 4217 gives it two decimals; Stripe counts whole units. */
const WHOLE_UNITS_ONLY: readonly string[] = ["MGA"];

/** Three decimals with both; of Stripe's the last must be zero. */
const LAST_DIGIT_ZERO: readonly string[] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/** Currencies whose unit Stripe does not say, because it takes no payments in them. */
const NOT_TAKEN: readonly string[] = ["CLF", "IQD", "LYD", "UYW"];

/**
 * Our amount in the unit that Stripe's API counts in (docs.stripe.com/currencies). Exact: nothing is ever rounded, because
 * money that is not what the order says would be sent back.
 * @param amountCents minor units by ISO 4217.
 * @param currency ISO 4217, upper case.
 * @returns undefined for an amount or a currency that Stripe cannot take.
 */
export function toStripeAmount(amountCents: number, currency: string): number | undefined {
  if (!Number.isSafeInteger(amountCents) || NOT_TAKEN.includes(currency)) return undefined;
  if (TWO_ZEROS_MORE.includes(currency)) return wholeOrNone(amountCents * 100);
  if (WHOLE_UNITS_ONLY.includes(currency)) return wholeOrNone(amountCents / 100);
  if (LAST_DIGIT_ZERO.includes(currency) && amountCents % 10 !== 0) return undefined;
  return amountCents;
}

/**
 * An amount of Stripe's in minor units by ISO 4217.
 * @param currency ISO 4217, upper case.
 * @returns undefined for an amount that is no whole number of them.
 */
export function fromStripeAmount(amount: number, currency: string): number | undefined {
  if (TWO_ZEROS_MORE.includes(currency)) return wholeOrNone(amount / 100);
  if (WHOLE_UNITS_ONLY.includes(currency)) return wholeOrNone(amount * 100);
  return wholeOrNone(amount);
}

function wholeOrNone(amount: number): number | undefined {
  return Number.isSafeInteger(amount) ? amount : undefined;
}
