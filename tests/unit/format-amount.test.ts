import { expect, it } from "vitest";
import { formatAmount } from "#dev/sandbox-provider/format-amount";

it.each([
  [4200, "EUR", "€42.00"],
  [5, "USD", "$0.05"],
  [4200, "JPY", "¥4,200"],
  [0, "JPY", "¥0"],
  [12_345, "BHD", "BHD 12.345"],
  [1, "BHD", "BHD 0.001"],
  [1234567, "KWD", "KWD 1,234.567"],
  [9_007_199_254_740_991, "EUR", "€90,071,992,547,409.91"],
])("writes %i minor units of %s as %s", (amountCents, currency, text) => {
  expect(formatAmount(amountCents, currency).replaceAll("\u00A0", " ")).toBe(text);
});
