import { env } from "cloudflare:workers";
import { ed25519 } from "@noble/curves/ed25519";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CRON_JOBS } from "#services/upkeep/run-cron";
import { createCronContext } from "../../src/compose.ts";
import { askFor, challengeFor, claim, claimInto, expectRefusal, photograph, prepareClaim } from "../support/claim-wallet.ts";
import { signIn } from "../support/contract-call.ts";
import { flushDeskOf } from "../support/open-sale.ts";
import { offer, passOn, sellOne, showCode } from "../support/pass-on.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";
import { makeWallet } from "../support/wallet.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

const TEN_MINUTES_MS = 600_000;

describe("a claim is refused and changes nothing", () => {
  it("when its signature is replayed, also after the ticket went to another wallet", async () => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    const signature = wallet.sign(challenge.message);
    await claim(owner, ticketId, challenge.message, signature);
    expectRefusal(await claim(owner, ticketId, challenge.message, signature), 409, "claim_challenge_used");
    await claimInto(owner, ticketId, makeWallet());
    const before = await photograph(ticketId);
    expectRefusal(await claim(owner, ticketId, challenge.message, signature), 409, "claim_challenge_used");
    expect(await photograph(ticketId)).toEqual(before);
  });

  it("when it is for another ticket of the same owner", async () => {
    const { owner, ticketId, wallet, challenge, buyTicket } = await prepareClaim();
    const other = await buyTicket(owner);
    await challengeFor(owner, other, wallet);
    const before = [await photograph(ticketId), await photograph(other)];
    const { message } = challenge;
    expectRefusal(await claim(owner, other, message, wallet.sign(message)), 409, "claim_challenge_unknown");
    const altered = message.replaceAll(ticketId, other);
    expectRefusal(await claim(owner, other, altered, wallet.sign(altered)), 409, "claim_challenge_unknown");
    expect([await photograph(ticketId), await photograph(other)]).toEqual(before);
  });

  it.each([
    ["for another domain", (text: string) => text.replace("tickets.test wants", "tickets.evil wants")],
    ["for another address of ours", (text: string) => text.replace("URI: https://tickets.test", "URI: https://tickets.evil")],
    ["for another cluster", (text: string) => text.replace("Chain ID: localnet", "Chain ID: mainnet")],
    ["with a later end", (text: string) => text.replace(/Expiration Time: \d{4}/, "Expiration Time: 2999")],
    ["with a line more", (text: string) => `${text}\n- https://tickets.evil`],
    ["for another wallet", (text: string) => text.replace(/\n[1-9A-Za-z]{32,44}\n/, `\n${makeWallet().address}\n`)],
  ])("when the message is %s, although the wallet signed it", async (_, alter) => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    const before = await photograph(ticketId);
    const message = alter(challenge.message);
    expect(message).not.toBe(challenge.message);
    expectRefusal(await claim(owner, ticketId, message, wallet.sign(message)), 422, "claim_message_mismatch");
    expect(await photograph(ticketId)).toEqual(before);
  });

  it.each([
    ["another nonce", (text: string) => text.replace(/Nonce: .*/, `Nonce: ${crypto.randomUUID().replaceAll("-", "")}`)],
    ["a nonce of another kind", (text: string) => text.replace(/Nonce: .*/, "Nonce: abcdefgh12345678")],
    ["no nonce", (text: string) => text.replace(/Nonce: .*\n/, "")],
  ])("when the message has %s", async (_, alter) => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    const before = await photograph(ticketId);
    const message = alter(challenge.message);
    expectRefusal(await claim(owner, ticketId, message, wallet.sign(message)), 409, "claim_challenge_unknown");
    expect(await photograph(ticketId)).toEqual(before);
  });

  it("when a newer challenge took the place of its own", async () => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    const newer = await challengeFor(owner, ticketId, wallet);
    expectRefusal(
      await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message)),
      409,
      "claim_challenge_unknown",
    );
    const crossed = await claim(owner, ticketId, newer.message, wallet.sign(challenge.message));
    expectRefusal(crossed, 422, "claim_signature_invalid");
    expect(await claim(owner, ticketId, newer.message, wallet.sign(newer.message))).toMatchObject({ status: 200 });
  });

  it("when another wallet signed, the signature was altered, or its number is beyond the group's order", async () => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    const { message } = challenge;
    const before = await photograph(ticketId);
    const altered = wallet.sign(message);
    altered[5] = (altered[5] ?? 0) ^ 1;
    const signature = wallet.sign(message);
    const scalar = signature.slice(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + ed25519.Point.Fn.ORDER;
    const malleated = Uint8Array.from(signature, (byte, at) =>
      at < 32 ? byte : Number((scalar >> BigInt(8 * (at - 32))) & 255n),
    );
    for (const wrong of [makeWallet().sign(message), altered, malleated, new Uint8Array(64)]) {
      expectRefusal(await claim(owner, ticketId, message, wrong), 422, "claim_signature_invalid");
    }
    expect(await photograph(ticketId)).toEqual(before);
  });

  it.each(["", "a", "1".repeat(64).slice(1), "0".repeat(88), `${"A".repeat(84)}==`, "A".repeat(89)])(
    "when its signature is no 64 bytes: %j",
    async (signature) => {
      const { owner, ticketId, challenge } = await prepareClaim();
      expectRefusal(await claim(owner, ticketId, challenge.message, signature), 400, "validation_failed");
    },
  );

  it("when its time is over, and the cron forgets it later", async () => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    await env.DB.prepare(
      "UPDATE wallet_claims SET issued_at_ms = issued_at_ms - ?1, expires_at_ms = expires_at_ms - ?1 WHERE ticket_id = ?2",
    )
      .bind(TEN_MINUTES_MS, ticketId)
      .run();
    expectRefusal(
      await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message)),
      409,
      "claim_challenge_expired",
    );
    const prune = CRON_JOBS.find(({ name }) => name === "prune wallet claims");
    await prune?.run(createCronContext(env, Date.now() + 3_000_000));
    expect(await photograph(ticketId)).toMatchObject([[{ wallet_address: null }], [], [{ ticket_id: ticketId }]]);
    await prune?.run(createCronContext(env, Date.now() + 4_000_000));
    expect(await photograph(ticketId)).toMatchObject([[{ wallet_address: null }], [], []]);
  });

  it("when the ticket is somebody else's: of another user, another tenant, one passed on, or the manager's customer's", async () => {
    const { sale, owner, friend, ticketId, wallet, challenge } = await prepareClaim();
    const { message } = challenge;
    const foreign = await signIn("admin", crypto.randomUUID(), owner.userId);
    for (const caller of [friend, sale.manager, foreign]) {
      expectRefusal(await askFor(caller, ticketId, wallet.address), 404, "not_found");
      expectRefusal(await claim(caller, ticketId, message, wallet.sign(message)), 404, "not_found");
    }
    await passOn(owner, friend, ticketId);
    expectRefusal(await claim(owner, ticketId, message, wallet.sign(message)), 404, "not_found");
    expectRefusal(await claim(friend, ticketId, message, wallet.sign(message)), 409, "claim_challenge_unknown");
    expectRefusal(await askFor(owner, crypto.randomUUID(), wallet.address), 404, "not_found");
    await claimInto(friend, ticketId, wallet);
  });

  it("when the ticket was let in, although D1 has not heard of it yet", async () => {
    const { owner, orderId, ticketId, wallet, challenge, scan } = await prepareClaim();
    await flushDeskOf(orderId);
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
    expectRefusal(await askFor(owner, ticketId, wallet.address), 409, "ticket_not_valid");
    expectRefusal(await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message)), 409, "ticket_not_valid");
    expect(await photograph(ticketId)).toMatchObject([[{ wallet_address: null }], [], [{ claimed_at_ms: null }]]);
  });

  it.each([
    ["refunded", "UPDATE tickets SET status = 'CANCELLED' WHERE id = ?"],
    ["used", "UPDATE tickets SET status = 'USED', admitted_at_ms = 1 WHERE id = ?"],
    [
      "going to be burnt",
      `INSERT INTO asset_burns (ticket_id, tenant_id, status, queued_at_ms) SELECT id, tenant_id, 'QUEUED', 1 FROM tickets WHERE id = ?`,
    ],
  ])("when D1 knows the ticket to be %s", async (_, change) => {
    const { owner, ticketId, wallet, challenge } = await prepareClaim();
    await env.DB.prepare(change).bind(ticketId).run();
    const before = await photograph(ticketId);
    expectRefusal(await askFor(owner, ticketId, wallet.address), 409, "ticket_not_valid");
    expectRefusal(await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message)), 409, "ticket_not_valid");
    expect(await photograph(ticketId)).toEqual(before);
  });

  it("when the ticket was paid back", async () => {
    const { sale, owner, orderId, ticketId, wallet, challenge } = await prepareClaim();
    const refunded = await sale.manager.call("POST", `/api/v1/orders/${orderId}/refund`, { key: "r", body: { reason: "off" } });
    expect(refunded.status).toBe(200);
    expectRefusal(await askFor(owner, ticketId, wallet.address), 409, "ticket_not_valid");
    expectRefusal(await claim(owner, ticketId, challenge.message, wallet.sign(challenge.message)), 409, "ticket_not_valid");
    expect(await photograph(ticketId)).toMatchObject([[{ wallet_address: null }], [], [{ claimed_at_ms: null }]]);
  });
});

it("an offer of a ticket to its present owner is refused and changes nothing", async () => {
  const { owner, ticketId } = await sellOne();
  const before = await photograph(ticketId);
  const refused = await offer(owner, ticketId, { toUserId: owner.userId });
  expectRefusal(refused, 400, "validation_failed");
  expect(refused.body["errors"]).toMatchObject([{ code: "self_transfer" }]);
  expect(await photograph(ticketId)).toEqual(before);
});
