import { z } from "@hono/zod-openapi";
import { findWalletProblem, type WalletProblem } from "#domain/wallet-address";
import { respond, withSecurityHeaders } from "./security-headers.ts";

/** A lower-case UUID of any version. */
export const id = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "not a lower-case UUID")
  .openapi({ format: "uuid" });

/** A time as ISO 8601 in UTC, ending in `Z`; parsed to Unix milliseconds. */
export const time = z.iso.datetime({ message: "not an ISO 8601 time ending in Z" }).transform((text) => Date.parse(text));

/** An amount in minor units of a currency, 0 to ten million units of two digits. */
export const cents = z.int().min(0).max(1_000_000_000);

/** A sum of amounts, in minor units: an order of the dearest tickets goes beyond what one price may be. */
export const sumCents = z.int().min(0);

const WALLET_PROBLEMS: Readonly<Record<WalletProblem, string>> = {
  not_base58: "not a base58 address",
  wrong_length: "not an address: not 32 bytes",
  is_program: "the address of a program, which is nobody's wallet",
  off_curve: "not a wallet: nobody can have a key of this address",
  small_order: "not a wallet: no key gives this address, and anybody could sign for it",
};

/** Address of any account on Solana. */
export const accountAddress = z
  .string()
  .regex(/^[1-9A-HJ-NP-Za-km-z]{32,44}$/, { error: WALLET_PROBLEMS.not_base58, abort: true });

/** Address of a Solana wallet: somebody may have its key, so that an asset sent there is not lost. */
export const walletAddress = accountAddress.superRefine((text, context) => {
  const problem = findWalletProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: WALLET_PROBLEMS[problem] });
});

/**
 * Characters that no text of a caller's may have: controls (C0, DEL, C1), line and paragraph separators, two that XML knows no way to
 * write; and those that turn the direction of writing (UAX #9, explicit embeddings, overrides and
 * isolates), by which one name can be made to look like another. Marks like U+200F, which right-to-left writing needs, are let through.
 */
const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]/u;
const UNFIT_MESSAGE = "has control characters, or such as turn the direction of writing";

/** A free text of one line, such as a name: it goes on chain, into pictures and logs. Blanks around it are cut off. */
export function lineOfText(maxLength: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .refine((text) => !UNFIT.test(text), UNFIT_MESSAGE);
}

/** A free text that may have several lines. */
export function longText(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => !UNFIT.test(text.replaceAll(/\r?\n/g, "")), UNFIT_MESSAGE);
}

/** A count of tickets. */
export const quantity = z.int().min(1).max(1_000_000);

/** `?limit=` and `?cursor=` of a list. */
export const pageQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, "not a whole number")
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  cursor: z.string().max(200).optional(),
});

/** A page of `item`. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A time as the contract writes it. */
export function presentTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A time that may not have come yet. */
export function presentOptionalTime(ms: number | null): string | null {
  return ms === null ? null : presentTime(ms);
}

const JSON_HEADERS = withSecurityHeaders({ "content-type": "application/json", "cache-control": "no-store" });

/** A JSON answer that no cache keeps. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return respond(JSON.stringify(body), status, headers, JSON_HEADERS);
}

/** Says that an answer is the first one again. */
export const REPLAYED = { "idempotency-replayed": "true" } as const;
