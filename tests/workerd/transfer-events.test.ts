import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { crashAt, offerAtDoor, type HandOverWorld } from "../support/hand-over-world.ts";
import { signIn } from "../support/contract-call.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Offers a ticket in a tenant that has an endpoint for its events. */
async function offerWithEndpoint(): Promise<HandOverWorld> {
  const world = await offerAtDoor();
  const admin = await signIn("admin", world.door.tenantId);
  const made = await admin.call("POST", "/api/v1/webhook-endpoints", { body: { url: "https://hooks.example.org" } });
  expect(made.status).toBe(201);
  return world;
}

async function listEvents({ door }: HandOverWorld): Promise<{ topic: string; body: unknown }[]> {
  const { results } = await env.DB.prepare("SELECT topic, body FROM outbox WHERE tenant_id = ?")
    .bind(door.tenantId)
    .all<{ topic: string; body: string }>();
  return results.map(({ topic, body }) => ({ topic, body: JSON.parse(body) as unknown }));
}

function expectedEvent({ door, ticketId, transferId, sender, recipient }: HandOverWorld): object {
  return {
    topic: "ticket.transferred",
    body: {
      transferId,
      ticketId,
      orderId: expect.any(String),
      eventId: door.eventId,
      fromUserId: sender.userId,
      toUserId: recipient.userId,
    },
  };
}

describe("a ticket that changes hands", () => {
  it("is an event, once, however many accept it at the same instant", async () => {
    const world = await offerWithEndpoint();
    await Promise.all([world.accept(), world.accept(), world.accept()]);
    await world.sweep();
    expect(await listEvents(world)).toEqual([expectedEvent(world)]);
  });

  it("is an event once after a crash before or after the transaction that changes its owner", async () => {
    for (const when of ["before", "after"] as const) {
      const world = await offerWithEndpoint();
      await expect(world.accept([crashAt("d1", when)])).rejects.toThrow("crash");
      expect(await listEvents(world), when).toHaveLength(when === "after" ? 1 : 0);
      await world.sweep();
      expect(await listEvents(world), when).toEqual([expectedEvent(world)]);
    }
  });

  it("is none while it is only offered, nor when the offer ends otherwise", async () => {
    const [cancelled, used] = [await offerWithEndpoint(), await offerWithEndpoint()];
    await cancelled.cancel();
    await used.scan(0);
    await used.accept();
    expect([await listEvents(cancelled), await listEvents(used)]).toEqual([[], []]);
  });

  it("leaves no event behind in a tenant that wants none, and asks the queue nothing", async () => {
    const world = await offerAtDoor();
    const send = vi.spyOn(Object.getPrototypeOf(env.EVENT_QUEUE) as Queue, "send");
    expect((await world.accept()).ok).toBe(true);
    expect(await listEvents(world)).toEqual([]);
    expect(send).not.toHaveBeenCalled();
  });

  it("is announced through the queue at once", async () => {
    const world = await offerWithEndpoint();
    const send = vi.spyOn(Object.getPrototypeOf(env.EVENT_QUEUE) as Queue, "send");
    expect((await world.accept()).ok).toBe(true);
    expect(send.mock.calls).toEqual([[{ endpointId: null }]]);
  });
});
