/** Claims of tickets by wallets over HTTP. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { z } from "zod";
import { encodeBase58 } from "#domain/base58";
import type { Caller, CheckedAnswer } from "./contract-call.ts";
import { sellOne, type Handing } from "./pass-on.ts";
import { makeWallet, type Wallet } from "./wallet.ts";

const challengeShape = z.object({ nonce: z.string(), message: z.string(), expiresAt: z.iso.datetime() });
/** What a wallet is asked to sign. */
export type Challenge = z.infer<typeof challengeShape>;

/** Asks for a challenge. */
export function askFor(caller: Caller, ticketId: string, walletAddress: string): Promise<CheckedAnswer> {
  return caller.call("POST", `/api/v1/tickets/${ticketId}/claim/challenge`, { body: { walletAddress } });
}

/** A challenge for a wallet that may have the ticket. */
export async function challengeFor(caller: Caller, ticketId: string, wallet: Wallet): Promise<Challenge> {
  const answer = await askFor(caller, ticketId, wallet.address);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return challengeShape.parse(answer.body);
}

/** Claims with a signature, which goes out in base58 unless it is a text already. */
export function claim(
  caller: Caller,
  ticketId: string,
  message: string,
  signature: Uint8Array | string,
): Promise<CheckedAnswer> {
  const text = typeof signature === "string" ? signature : encodeBase58(signature);
  return caller.call("POST", `/api/v1/tickets/${ticketId}/claim`, { body: { message, signature: text } });
}

/** Takes the ticket into the wallet. */
export async function claimInto(caller: Caller, ticketId: string, wallet: Wallet): Promise<void> {
  const { message } = await challengeFor(caller, ticketId, wallet);
  const answer = await claim(caller, ticketId, message, wallet.sign(message));
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

/** Holds a refusal against its status and code. */
export function expectRefusal(answer: CheckedAnswer, status: number, code: string): void {
  expect([answer.status, answer.body["code"]]).toEqual([status, code]);
}

/** Everything a refused claim could have changed: the ticket, its moves and its challenges. */
export async function photograph(ticketId: string): Promise<unknown[][]> {
  const read = (table: string, column: string): D1PreparedStatement =>
    env.DB.prepare(`SELECT * FROM ${table} WHERE ${column} = ?`).bind(ticketId);
  const statements = [read("tickets", "id"), read("asset_moves", "ticket_id"), read("wallet_claims", "ticket_id")];
  return (await env.DB.batch(statements)).map(({ results }) => results);
}

/** A sold ticket that D1 has, a wallet, and a challenge for both. */
export async function prepareClaim(): Promise<Handing & { readonly wallet: Wallet; readonly challenge: Challenge }> {
  const handing = await sellOne();
  const wallet = makeWallet();
  return { ...handing, wallet, challenge: await challengeFor(handing.owner, handing.ticketId, wallet) };
}
