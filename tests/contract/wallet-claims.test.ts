import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodeBase58 } from "#domain/base58";
import { askFor, claim, claimInto, expectRefusal, prepareClaim } from "../support/claim-wallet.ts";
import { sellOne, showCode } from "../support/pass-on.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";
import { makeWallet } from "../support/wallet.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

const TEN_MINUTES_MS = 600_000;

describe("a claim of a ticket by a wallet", () => {
  it("gives the ticket the wallet whose key signed, queues the move of its asset, and leaves owner and code as they are", async () => {
    const { owner, admin, ticketId, wallet, challenge, scan } = await prepareClaim();
    const qr = await showCode(owner, ticketId);
    const answer = await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message));
    expect(answer).toMatchObject({ status: 200, body: { ticketId, walletAddress: wallet.address } });
    const row = await env.DB.prepare("SELECT wallet_address, owner_user_id, credential_epoch FROM tickets WHERE id = ?")
      .bind(ticketId)
      .first();
    expect(row).toEqual({ wallet_address: wallet.address, owner_user_id: owner.userId, credential_epoch: 0 });
    const moves = await admin.call("GET", "/mint/moves");
    expect(moves.body["items"]).toMatchObject([{ ticketId, fromAddress: null, toAddress: wallet.address, status: "QUEUED" }]);
    expect(await scan(qr)).toBe("admitted");
  });

  it("takes a signature in base64 too, and a second claim into another wallet", async () => {
    const { owner, admin, ticketId, wallet, challenge } = await prepareClaim();
    const base64 = btoa(String.fromCharCode(...wallet.sign(challenge.message)));
    expect(await claim(owner, ticketId, challenge.message, base64)).toMatchObject({ status: 200 });
    const second = makeWallet();
    await claimInto(owner, ticketId, second);
    const { body } = await admin.call("GET", "/mint/moves");
    expect(body["items"]).toMatchObject([{ fromAddress: null }, { fromAddress: wallet.address, toAddress: second.address }]);
  });

  it("asks for a text as Sign-In With Solana words it", async () => {
    const { ticketId, wallet, challenge } = await prepareClaim();
    const { nonce, expiresAt, message } = challenge;
    const issuedAt = new Date(Date.parse(expiresAt) - TEN_MINUTES_MS).toISOString();
    expect(nonce).toMatch(/^[A-Za-z0-9]{8,}$/);
    expect(message).toBe(`tickets.test wants you to sign in with your Solana account:
${wallet.address}

Take ticket ${ticketId} into this wallet.

URI: https://tickets.test/api/v1/tickets/${ticketId}/claim
Version: 1
Chain ID: localnet
Nonce: ${nonce}
Issued At: ${issuedAt}
Expiration Time: ${expiresAt}
Resources:
- https://tickets.test/nft/${ticketId}`);
  });

  it("lets one of many claims of one challenge through, and queues one move", async () => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    const signature = wallet.sign(challenge.message);
    const answers = await Promise.all(Array.from({ length: 6 }, () => claim(owner, ticketId, challenge.message, signature)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const lost = answers.filter(({ status }) => status !== 200).map(({ body }) => body["code"]);
    expect(new Set(lost)).toEqual(new Set(["claim_challenge_used"]));
    const { results } = await env.DB.prepare("SELECT * FROM asset_moves WHERE ticket_id = ?").bind(ticketId).all();
    expect(results).toHaveLength(1);
  });
});

describe("a wallet is refused that", () => {
  it.each([
    ["is off the curve", encodeBase58(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 2 : 0)))],
    ["is of 31 bytes", encodeBase58(new Uint8Array(31).fill(7))],
    ["is of 33 bytes", encodeBase58(new Uint8Array(33).fill(7))],
    ["is the System program", "1".repeat(32)],
    ["is Bubblegum", "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY"],
    [
      "is a point of order 1, for which anybody can sign",
      encodeBase58(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0))),
    ],
    [
      "is a point of order 8",
      encodeBase58(
        Uint8Array.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".match(/../g) ?? [], (hex) =>
          Number.parseInt(hex, 16),
        ),
      ),
    ],
  ])("%s", async (_, walletAddress) => {
    const { owner, ticketId } = await sellOne();
    expectRefusal(await askFor(owner, ticketId, walletAddress), 400, "validation_failed");
    const { results } = await env.DB.prepare("SELECT 1 FROM wallet_claims WHERE ticket_id = ?").bind(ticketId).all();
    expect(results).toEqual([]);
  });

  it("is the ticket's own already", async () => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message));
    expectRefusal(await askFor(owner, ticketId, wallet.address), 409, "ticket_in_wallet_already");
  });
});
