import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AssetChain } from "#chain/asset-mover";
import type { TreeState } from "#chain/tree-account";
import type { ServiceContext } from "#services/context";
import { makeAddress } from "../support/asset-bench.ts";
import { askFor, challengeFor, claim, claimInto, expectRefusal } from "../support/claim-wallet.ts";
import { MINT_SIGNATURE, notice, sellMinted } from "../support/moved-asset.ts";
import { idOf } from "../support/open-sale.ts";
import { offer, settle, showCode } from "../support/pass-on.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";
import { makeWallet } from "../support/wallet.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

const pathOfCode = (ticketId: string): string => `/api/v1/qr/${ticketId}/generate`;

describe("a ticket whose asset was moved to another wallet outside the service", () => {
  it("is refused with its old code, shown to nobody, and admitted for who proves the new wallet", async () => {
    const { owner, friend, admin, ticketId, scan, moveLeaf, readTicket, isNews } = await sellMinted();
    const endpoint = { url: "https://hooks.example.org/t", eventTypes: ["ticket.held_elsewhere", "ticket.claimed"] };
    expect((await admin.call("POST", "/api/v1/webhook-endpoints", { key: "e", body: endpoint })).status).toBe(201);
    const old = await showCode(owner, ticketId);
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice();
    expect(await scan(old)).toBe("revoked");
    expectRefusal(await owner.call("GET", pathOfCode(ticketId)), 409, "ticket_held_elsewhere");
    const shown = await owner.call("GET", `/api/v1/tickets/${ticketId}`);
    expect(shown.body).toMatchObject({ heldByAddress: wallet.address, credentialEpoch: 1, status: "SOLD" });
    expect(await isNews()).toBe(false);
    await claimInto(friend, ticketId, wallet);
    expect(await readTicket()).toMatchObject({
      owner_user_id: friend.userId,
      wallet_address: wallet.address,
      held_by_address: null,
      held_since_ms: null,
      status: "TRANSFERRED",
      credential_epoch: 1,
    });
    expect(await scan(await showCode(friend, ticketId))).toBe("admitted");
    expect((await owner.call("GET", pathOfCode(ticketId))).status).toBe(404);
    const { results } = await env.DB.prepare("SELECT topic, body FROM outbox WHERE tenant_id = ? ORDER BY id")
      .bind(owner.tenantId)
      .all();
    expect(results.map(({ topic, body }) => [topic, JSON.parse(String(body))])).toMatchObject([
      ["ticket.held_elsewhere", { ticketId, ownerUserId: owner.userId, heldByAddress: wallet.address }],
      ["ticket.claimed", { ticketId, fromUserId: owner.userId, toUserId: friend.userId, walletAddress: wallet.address }],
    ]);
    const moves = await env.DB.prepare("SELECT 1 FROM asset_moves WHERE ticket_id = ?").bind(ticketId).all();
    expect(moves.results).toEqual([]);
  });

  it("is refused to who proves another wallet, and to who is blacklisted", async () => {
    const { owner, friend, admin, ticketId, moveLeaf, readTicket } = await sellMinted();
    const [wallet, other] = [makeWallet(), makeWallet()];
    await moveLeaf(wallet.address);
    expectRefusal(await askFor(friend, ticketId, wallet.address), 404, "not_found");
    await notice();
    const before = await readTicket();
    expectRefusal(await askFor(friend, ticketId, other.address), 404, "not_found");
    expectRefusal(await askFor(owner, ticketId, other.address), 409, "ticket_held_elsewhere");
    const { message } = await challengeFor(friend, ticketId, wallet);
    expectRefusal(await claim(friend, ticketId, message, other.sign(message)), 422, "claim_signature_invalid");
    await admin.call("POST", "/api/v1/admin/blacklist", { body: { userId: friend.userId, reason: "resale" } });
    expectRefusal(await claim(friend, ticketId, message, wallet.sign(message)), 403, "user_blacklisted");
    expect(await readTicket()).toEqual(before);
    await claimInto(owner, ticketId, wallet);
    expect(await readTicket()).toMatchObject({ owner_user_id: owner.userId, wallet_address: wallet.address });
  });

  it("is claimed once by two people who both prove the wallet", async () => {
    const { sale, friend, ticketId, moveLeaf, readTicket } = await sellMinted();
    const rival = await sale.makeBuyer();
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice();
    const people = [friend, rival];
    const challenges = await Promise.all(people.map((person) => challengeFor(person, ticketId, wallet)));
    const answers = await Promise.all(
      people.map((person, at) => {
        const message = challenges[at]?.message ?? "";
        return claim(person, ticketId, message, wallet.sign(message));
      }),
    );
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 404]);
    const winner = people[answers.findIndex(({ status }) => status === 200)];
    expect((await readTicket())["owner_user_id"]).toBe(winner?.userId);
  });

  it("is the last wallet's when the asset goes on, and its owner's again when it comes back", async () => {
    const home = makeAddress();
    const { owner, friend, ticketId, scan, moveLeaf, readTicket } = await sellMinted(home);
    const [first, second] = [makeWallet(), makeWallet()];
    await moveLeaf(first.address);
    await notice();
    const { message } = await challengeFor(friend, ticketId, first);
    await moveLeaf(second.address);
    await notice();
    expect(await readTicket()).toMatchObject({ held_by_address: second.address, credential_epoch: 1 });
    expectRefusal(await claim(friend, ticketId, message, first.sign(message)), 404, "not_found");
    await moveLeaf(home);
    await notice();
    expect(await readTicket()).toMatchObject({ held_by_address: null, held_since_ms: null, owner_user_id: owner.userId });
    expectRefusal(await askFor(friend, ticketId, second.address), 404, "not_found");
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });

  it("loses its open offer, and cannot be offered", async () => {
    const { owner, friend, ticketId, moveLeaf } = await sellMinted();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice();
    expectRefusal(await settle(friend, transferId, "accept"), 409, "transfer_not_pending");
    expectRefusal(await offer(owner, ticketId, { toUserId: friend.userId }), 409, "ticket_held_elsewhere");
    await claimInto(friend, ticketId, wallet);
    expect((await offer(friend, ticketId, { toUserId: owner.userId })).status).toBe(201);
  });
});

describe("a ticket stays with its owner", () => {
  it("when the service itself made the change: the mint, and a move that was given up since", async () => {
    const { owner, ticketId, scan, moveLeaf, isNews, queueMove } = await sellMinted();
    await moveLeaf(makeAddress(), MINT_SIGNATURE);
    await notice();
    expect(await isNews()).toBe(false);
    await queueMove("FAILED", "ours");
    await queueMove("MOVED");
    await moveLeaf(makeAddress(), "ours");
    await notice();
    expect(await isNews()).toBe(false);
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });

  it("while a move is open that brings the asset where it belongs, and is looked at again after it", async () => {
    const { ticketId, moveLeaf, readTicket, isNews, queueMove } = await sellMinted();
    const end = await queueMove("QUEUED");
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice();
    expect([await isNews(), (await readTicket())["held_by_address"]]).toEqual([true, null]);
    await end("MOVED");
    await notice();
    expect((await readTicket())["held_by_address"]).toBeNull(); // Its turn has not come again.
    await notice(2);
    expect(await readTicket()).toMatchObject({ id: ticketId, held_by_address: wallet.address });
  });

  it("when an earlier owner, from whom the asset was moved in vain, gives it to somebody else", async () => {
    const home = makeAddress();
    const { owner, ticketId, scan, moveLeaf, readTicket, isNews, queueMove } = await sellMinted(home);
    await queueMove("FAILED");
    const buyer = makeWallet();
    await moveLeaf(buyer.address);
    await notice();
    expect([await isNews(), (await readTicket())["held_by_address"]]).toEqual([false, null]);
    // Once the asset came where it belongs, what happens to it counts again.
    await moveLeaf(home);
    await notice();
    await moveLeaf(buyer.address);
    const code = await showCode(owner, ticketId);
    await notice();
    expect(await readTicket()).toMatchObject({ held_by_address: buyer.address });
    expect(await scan(code)).toBe("revoked");
  });

  const NOW = { seq: 1, index: 1, path: [], root: new Uint8Array(32) };

  it.each<[string, Partial<TreeState>]>([
    ["far behind the chain", { seq: 99, recent: [{ ...NOW, seq: 99 }] }],
    ["of before another change of the leaf", { seq: 2, recent: [NOW, { ...NOW, seq: 2, index: 0 }] }],
  ])("while what is stored of its tree is %s: the news may be of long ago", async (_, change) => {
    const { ticketId, scan, owner, moveLeaf, readTicket } = await sellMinted();
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice(0, (ctx) => ({ assetChain: async () => changeState(await ctx.assetChain(), change) }));
    expect(await readTicket()).toMatchObject({ held_by_address: null, credential_epoch: 0 });
    const code = await showCode(owner, ticketId);
    await notice(2);
    expect(await readTicket()).toMatchObject({ held_by_address: wallet.address });
    expect(await scan(code)).toBe("revoked");
  });

  it("until its mint is noted: a leaf that no ticket is known for is looked at again later, behind all that is new", async () => {
    const { ticketId, moveLeaf, readTicket } = await sellMinted();
    const noteMint = (status: string): Promise<unknown> =>
      env.DB.prepare("UPDATE mint_jobs SET status = ? WHERE ticket_id = ?").bind(status, ticketId).run();
    await noteMint("SUBMITTED");
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice();
    await noteMint("MINTED");
    await notice(9);
    expect((await readTicket())["held_by_address"]).toBeNull();
    await notice(11);
    expect((await readTicket())["held_by_address"]).toBe(wallet.address);
  });

  it("when it was let in before, although D1 has not heard of it yet", async () => {
    const { owner, ticketId, scan, moveLeaf, readTicket, isNews } = await sellMinted();
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
    await moveLeaf(makeAddress());
    await notice();
    expect(await readTicket()).toMatchObject({ held_by_address: null, credential_epoch: 0 });
    expect(await isNews()).toBe(false);
    expect((await owner.call("GET", pathOfCode(ticketId))).status).toBe(200);
  });

  it("when its organiser keeps tickets of its type with their buyers", async () => {
    const { owner, ticketId, scan, moveLeaf } = await sellMinted(makeAddress(), { transferable: false });
    await moveLeaf(makeAddress());
    await notice();
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });
});

/** The chain with the tree's account in another state. */
function changeState({ trees, ...chain }: AssetChain, change: Partial<TreeState>): AssetChain {
  return {
    ...chain,
    trees: { ...trees, readState: async (...asked) => ({ ...(await trees.readState(...asked)), ...change }) },
  };
}

type Break = (ctx: ServiceContext) => Partial<ServiceContext>;
const crash = (): Promise<never> => Promise.reject(new Error("the isolate is gone"));

/** Where a run may die: before the gate is told, after it, before the desk is told, before the last write to D1. */
const CRASHES: readonly (readonly [string, Break])[] = [
  ["before the gate", () => ({ gate: () => ({ handOver: crash }) as never })], // nothing else of the gate is asked for
  [
    "after the gate",
    (ctx) => ({ gate: (id) => ({ handOver: (command: never) => ctx.gate(id).handOver(command).then(crash) }) as never }), // as above
  ],
  ["at the desk", () => ({ desk: () => ({ passOnTicket: crash }) as never })], // nothing else of the desk is asked for
  ["at the last write", (ctx) => ({ d1: failBatches(ctx.d1) })],
];

/** All but the first, which only reads. */
function failBatches(d1: D1Database): D1Database {
  let count = 0;
  return new Proxy(d1, {
    get: (target, name) => {
      if (name === "batch" && (count += 1) > 1) return crash;
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

describe.each(CRASHES)("a run that dies %s", (_, breakIt) => {
  it("leaves a ticket that nobody can show, and the next one ends the work", async () => {
    const { owner, friend, ticketId, scan, moveLeaf, readTicket } = await sellMinted();
    const old = await showCode(owner, ticketId);
    const wallet = makeWallet();
    await moveLeaf(wallet.address);
    await notice(0, breakIt);
    expect(await readTicket()).toMatchObject({ held_by_address: wallet.address, held_since_ms: null, credential_epoch: 0 });
    expectRefusal(await owner.call("GET", pathOfCode(ticketId)), 409, "ticket_held_elsewhere");
    expectRefusal(await askFor(friend, ticketId, wallet.address), 404, "not_found");
    await notice(2);
    expect(await scan(old)).toBe("revoked");
    await claimInto(friend, ticketId, wallet);
    expect(await scan(await showCode(friend, ticketId))).toBe("admitted");
  });

  it("does no harm to an owner whose asset is back before the next one", async () => {
    const home = makeAddress();
    const { owner, ticketId, scan, moveLeaf, readTicket } = await sellMinted(home);
    await moveLeaf(makeAddress());
    await notice(0, breakIt);
    await moveLeaf(home);
    await notice(2);
    await notice(4);
    expect(await readTicket()).toMatchObject({ held_by_address: null, held_since_ms: null });
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });

  it("lets a transfer that was being accepted end as one of the two, with one person who can get in", async () => {
    const { owner, friend, ticketId, scan, moveLeaf, readTicket } = await sellMinted();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    await env.DB.prepare("UPDATE ticket_transfers SET claimed_by_user_id = ?, claimed_at_ms = 1 WHERE id = ?")
      .bind(friend.userId, transferId)
      .run();
    await moveLeaf(makeAddress());
    await notice(0, breakIt);
    expect((await settle(friend, transferId, "accept")).status).toBe(200);
    await notice(2);
    expect(await readTicket()).toMatchObject({ owner_user_id: friend.userId, held_by_address: null, credential_epoch: 1 });
    expect(await scan(await showCode(friend, ticketId))).toBe("admitted");
  });
});
