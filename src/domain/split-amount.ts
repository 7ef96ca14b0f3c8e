/**
 * Splits an amount over parts in proportion to their weights, in whole minor units (largest remainder method): each part gets
 * its share rounded down, and the units left over go to the largest remainders, of equal ones to the first.
 * @param amountCents 0 or more; what exceeds the sum of the weights is dropped, so no part gets more than its weight.
 * @param weights 0 or more each, the prices that the amount is taken off.
 * Invariant: the parts sum to min(amountCents, sum of the weights), and each is 0 to its weight.
 */
export function splitByLargestRemainder(amountCents: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const amount = Math.min(amountCents, sum);
  if (amount === 0) return weights.map(() => 0);
  // Products of two amounts leave the exact range of a number.
  const products = weights.map((weight) => BigInt(amount) * BigInt(weight));
  const parts = products.map((product) => Number(product / BigInt(sum)));
  const remainders = products.map((product) => product % BigInt(sum));
  const left = amount - parts.reduce((total, part) => total + part, 0);
  const largestFirst = remainders
    .map((remainder, at) => ({ remainder, at }))
    .toSorted((one, other) => Number(other.remainder - one.remainder) || one.at - other.at);
  for (const { at } of largestFirst.slice(0, left)) parts[at] = (parts[at] ?? 0) + 1;
  return parts;
}
