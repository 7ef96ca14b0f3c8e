import type { Failure, TypeShortage } from "#domain/failure";
import { refuseUse, type DiscountUse } from "#domain/discount-stock";
import type { ReleaseCommand, ReserveCommand } from "#domain/inventory-messages";
import type { BasketLine, StockNews } from "#domain/order-messages";
import type { BatchedOutcome, InventoryBatcher } from "./inventory-batcher.ts";
import type { DeskInventory } from "./limit-calls.ts";

/** Stock held for every line until `expiresAtMs` (the earliest of the lines); or a refusal, and the names of the stock held in vain. */
export type HoldOutcome =
  | { readonly ok: true; readonly expiresAtMs: number; readonly stock: StockNews }
  | { readonly ok: false; readonly failure: Failure; readonly stock: StockNews; readonly heldNames: readonly string[] };

/** What is the same of all holds of one basket. */
export type SharedHold = Omit<ReserveCommand, "quantity">;

/**
 * Holds all lines, or says which it held while another was refused: the caller gives those back once the refusal is durable.
 * Rejects when an inventory cannot be reached; what it holds then expires by itself, or is found again by a repeat.
 */
export async function holdAllLines(
  batcher: InventoryBatcher,
  hold: SharedHold,
  lines: readonly BasketLine[],
): Promise<HoldOutcome> {
  const answers = await Promise.all(
    lines.map(async (line) => ({
      line,
      answer: await batcher.reserve(line.ticketTypeId, { ...hold, quantity: line.quantity }),
    })),
  );
  const stock = answers.flatMap(({ line, answer }) =>
    answer.snapshot ? [{ ticketTypeId: line.ticketTypeId, snapshot: answer.snapshot }] : [],
  );
  const failure = mergeRefusals(answers.map(({ answer }) => answer));
  if (failure) {
    const heldNames = answers.flatMap(({ line, answer }) => (answer.outcome.ok ? [line.ticketTypeId] : []));
    return { ok: false, failure, stock: heldNames.length === 0 ? stock : [], heldNames };
  }
  const expiries = answers.flatMap(({ answer }) => (answer.outcome.ok ? [answer.outcome.expiresAtMs] : []));
  return { ok: true, expiresAtMs: Math.min(...expiries), stock };
}

/** Holds all uses of capped codes, or says which code is refused and what was held in vain. Rejects as {@link holdAllLines} does. */
export async function holdUses(
  batcher: InventoryBatcher,
  hold: SharedHold,
  uses: readonly DiscountUse[],
): Promise<{ readonly ok: true } | { readonly ok: false; readonly failure: Failure; readonly heldNames: readonly string[] }> {
  const answers = await Promise.all(
    uses.map(async (use) => {
      const { outcome } = await batcher.reserve(use.stockName, { ...hold, quantity: use.quantity });
      return { use, outcome };
    }),
  );
  const failures = answers.flatMap(({ use, outcome }) => (outcome.ok ? [] : [refuseUse(outcome.failure, use.discountCode)]));
  const [failure] = failures;
  if (!failure) return { ok: true };
  return { ok: false, failure, heldNames: answers.flatMap(({ use, outcome }) => (outcome.ok ? [use.stockName] : [])) };
}

/** Gives a hold of each stock back; one that was never made, or has expired, is no error. Rejects when an inventory cannot be reached. */
export async function releaseAll(
  inventory: (stockName: string) => DeskInventory,
  stockNames: readonly string[],
  command: ReleaseCommand,
): Promise<void> {
  await Promise.all(stockNames.map((stockName) => inventory(stockName).release(command)));
}

/** One refusal for the basket: every shortage together when stock is what lacks, else the first refusal. */
function mergeRefusals(answers: readonly BatchedOutcome[]): Failure | undefined {
  const failures = answers.flatMap(({ outcome }) => (outcome.ok ? [] : [outcome.failure]));
  const other = failures.find((failure) => failure.code !== "sold_out");
  if (other) return other;
  const shortages = failures.flatMap((failure): readonly TypeShortage[] =>
    failure.code === "sold_out" ? failure.shortages : [],
  );
  return shortages.length > 0 ? { code: "sold_out", shortages } : undefined;
}
