/**
 * An amount as people write it, with the decimals ISO 4217 gives its currency (JPY none, KWD three).
 * The decimal text is built from the digits, so no amount ever becomes a floating point number.
 * @param amountCents minor units, 0 or more.
 */
export function formatAmount(amountCents: number, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 2;
  const digits = String(amountCents).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals);
  const text = decimals === 0 ? whole : `${whole}.${fraction}`;
  // `format` takes decimal text exactly; TypeScript wants it typed as a numeric literal, which a computed text can't be.
  return format.format(text as `${number}`);
}
