import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { deskName, deskNumberOf } from "#domain/ids";
import type { SignedInContext } from "#services/context";
import { generateCode } from "#services/door/generate-code";
import { listTickets } from "#services/ticket/list-tickets";
import { readTicket } from "#services/ticket/find-ticket";
import { compose } from "#src/compose";
import { passOn, sellOne, showCode } from "../support/pass-on.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";
import type { Caller } from "../support/contract-call.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** A D1 that answers nothing. */
const downD1 = new Proxy(env.DB, {
  get: () => () => {
    throw new Error("D1 is down");
  },
});

/** The service for someone, with a D1 that fails. */
function withoutD1({ tenantId, userId }: Caller): SignedInContext {
  const composed = compose(env);
  if (!composed.ok) throw new Error("the tests' environment is misconfigured");
  const principal = { tenantId, userId, role: "user" as const, permissions: [] };
  return { ...composed.value.createContext("test", Date.now()), principal, db: drizzle(downD1) };
}

describe("while D1 is down", () => {
  it("a ticket that has changed hands is not shown to its old owner by the desk that issued it", async () => {
    const { owner, friend, ticketId, buyTicket, orderId } = await sellOne();
    const kept = await buyTicket(owner);
    await showCode(owner, ticketId); // this isolate knows the type's number from here on
    const ctx = withoutD1(owner);
    const ids = async (): Promise<string[]> =>
      (await listTickets(ctx, { limit: 20, after: undefined })).items.map(({ id }) => id);
    expect((await generateCode(ctx, ticketId)).ok).toBe(true);
    expect(new Set(await ids())).toEqual(new Set([kept, ticketId]));
    await passOn(owner, friend, ticketId);
    await expect(generateCode(ctx, ticketId)).rejects.toThrow("D1 is down");
    await expect(readTicket(ctx, ctx.principal.tenantId, ticketId)).rejects.toThrow("D1 is down");
    expect(await ids()).toEqual([kept]);
    const desk = env.ORDER_DESK.getByName(deskName(deskNumberOf(orderId)));
    expect(await desk.listTicketsOfOrder(ctx.principal.tenantId, orderId)).toEqual([]);
  });

  it("is forgotten by the desk for its own tenant alone, and a repeat changes nothing", async () => {
    const { owner, ticketId, orderId } = await sellOne();
    const desk = env.ORDER_DESK.getByName(deskName(deskNumberOf(orderId)));
    await desk.passOnTicket(crypto.randomUUID(), ticketId);
    expect(await desk.findTicket(owner.tenantId, ticketId)).toMatchObject({ ownerUserId: owner.userId });
    for (let time = 0; time < 2; time += 1) await desk.passOnTicket(owner.tenantId, ticketId);
    expect(await desk.findTicket(owner.tenantId, ticketId)).toBeUndefined();
    expect(await desk.findOrder(owner.tenantId, orderId)).toMatchObject({ id: orderId, status: "AWAITING_MINT" });
  });
});
