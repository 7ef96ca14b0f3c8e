/** What an operator's repair finds and puts right in D1, and what it leaves alone because it is only on its way. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { discountStockName } from "#domain/discount-stock";
import { reconcileReservations } from "#services/upkeep/reconcile-reservations";
import { signIn, type Caller } from "../support/contract-call.ts";
import { EVENT_BODY, idOf } from "../support/open-sale.ts";
import { makeOrganiser } from "../support/organiser.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

const differences = z.object({
  ticketTypeId: z.string(),
  missingCount: z.number(),
  staleCount: z.number(),
  extraCount: z.number(),
  counters: z.unknown(),
  reservationIds: z.array(z.string()),
  unrepaired: z.string().nullable(),
});
const outcome = z.object({
  checkedReservationCount: z.number(),
  items: z.array(differences),
  discounts: z.array(z.unknown()),
  nextCursor: z.string().nullable(),
});

/** A tenant with two ticket types, and buyers who hold one ticket of each: `holds` are the reservations' ids. */
async function openHall(holdCount: number) {
  const tenantId = crypto.randomUUID();
  const manager = await signIn("venue_manager", tenantId);
  const admin = await signIn("admin", tenantId);
  const eventId = idOf(await manager.call("POST", "/api/v1/events", { body: EVENT_BODY }));
  const typeIds: string[] = [];
  for (const name of ["Floor", "Balcony"]) {
    const body = { eventId, name, priceCents: 4_500, quantity: 100 };
    typeIds.push(idOf(await manager.call("POST", "/api/v1/tickets/types", { body })));
  }
  const [floor = "", balcony = ""] = typeIds.toSorted();
  const tickets = [floor, balcony].map((ticketTypeId) => ({ ticketTypeId, quantity: 1 }));
  const holds: string[] = [];
  for (let made = 0; made < holdCount; made += 1) {
    const buyer = await signIn("user", tenantId);
    holds.push(
      idOf(await buyer.call("POST", "/api/v1/tickets/purchase", { key: crypto.randomUUID(), body: { eventId, tickets } })),
    );
  }
  for (const id of typeIds) await tellAll(id);
  return { tenantId, eventId, admin, floor, balcony, holds: holds.toSorted() };
}

async function tellAll(ticketTypeId: string): Promise<void> {
  const stub = env.TICKET_TYPE_INVENTORY.getByName(ticketTypeId);
  for (let round = 0; round < 100; round += 1) {
    await runDurableObjectAlarm(stub);
    if ((await stub.measureBacklog()).waitingCount === 0) return;
    await scheduler.wait(5); // an alarm of the platform's own may be delivering
  }
  throw new Error("the outbox was not emptied");
}

async function reconcile(admin: Caller, body: Readonly<Record<string, unknown>> = {}) {
  const answer = await admin.call("POST", "/admin/reservations/reconcile", { body });
  expect(answer.status).toBe(200);
  return outcome.parse(answer.body);
}

async function expectNotThere(admin: Caller, body: Readonly<Record<string, unknown>>): Promise<void> {
  const refused = await admin.call("POST", "/admin/reservations/reconcile", { body });
  expect(refused, JSON.stringify(body)).toMatchObject({ status: 404, body: { code: "not_found" } });
}

async function run(sql: string, ...values: unknown[]): Promise<void> {
  expect(
    (
      await env.DB.prepare(sql)
        .bind(...values)
        .run()
    ).meta.changes,
  ).toBeGreaterThan(0);
}

/** What D1 holds of the tenant's stock, but for the numbers under which it was told. */
async function photograph(tenantId: string): Promise<unknown> {
  const rows = await env.DB.batch(
    [
      "SELECT id, ticket_type_id, event_id, user_id, quantity, restocked_quantity, status, order_id, expires_at_ms, created_at_ms FROM reservations WHERE tenant_id = ? ORDER BY id, ticket_type_id",
      "SELECT id, quantity, held_count, sold_count FROM ticket_types WHERE tenant_id = ? ORDER BY id",
    ].map((sql) => env.DB.prepare(sql).bind(tenantId)),
  );
  return rows.map(({ results }) => results);
}

describe("reconciling D1 with the inventories", () => {
  it("finds nothing to repair after a sale, and changes nothing", async () => {
    const { tenantId, admin } = await openHall(3);
    const before = await photograph(tenantId);
    expect(await reconcile(admin)).toEqual({ checkedReservationCount: 6, items: [], discounts: [], nextCursor: null });
    expect(await photograph(tenantId)).toEqual(before);
  });

  it("repairs exactly what was damaged, says what that was, and finds nothing the second time", async () => {
    const { tenantId, eventId, admin, floor, balcony, holds } = await openHall(4);
    const before = await photograph(tenantId);
    const [lost = "", stale = "", moved = ""] = holds;
    await run("DELETE FROM reservations WHERE id = ? AND ticket_type_id = ?", lost, floor);
    await run("UPDATE reservations SET status = 'EXPIRED' WHERE id = ? AND ticket_type_id = ?", stale, floor);
    await run("UPDATE reservations SET order_id = 'nobody', quantity = 7 WHERE id = ? AND ticket_type_id = ?", moved, balcony);
    await run("UPDATE ticket_types SET held_count = 90, sold_count = 1, quantity = 99 WHERE id = ?", floor);
    const invented = `${stale.slice(0, 24)}000000000000`;
    await run(
      `INSERT INTO reservations (id, ticket_type_id, tenant_id, event_id, user_id, quantity, status, expires_at_ms, created_at_ms, seq)
       VALUES (?, ?, ?, ?, 'u', 1, 'ACTIVE', 1, 1, 1)`,
      invented,
      balcony,
      tenantId,
      eventId,
    );
    const found = await reconcile(admin);
    expect(found.items.toSorted((one, other) => (one.ticketTypeId < other.ticketTypeId ? -1 : 1))).toEqual([
      {
        ticketTypeId: floor,
        missingCount: 1,
        staleCount: 1,
        extraCount: 0,
        counters: {
          before: { quantity: 99, heldCount: 90, soldCount: 1 },
          after: { quantity: 100, heldCount: 4, soldCount: 0 },
        },
        reservationIds: [lost, stale],
        unrepaired: null,
      },
      {
        ticketTypeId: balcony,
        missingCount: 0,
        staleCount: 1,
        extraCount: 1,
        counters: null,
        reservationIds: [invented, moved],
        unrepaired: null,
      },
    ]);
    expect(await photograph(tenantId)).toEqual(before);
    expect((await reconcile(admin)).items).toEqual([]);
  });

  it("frees rows and counters that were ahead of their inventory, so that what happens next shows again", async () => {
    const { tenantId, admin, floor, holds } = await openHall(1);
    await run("UPDATE reservations SET seq = 1000000 WHERE id = ? AND ticket_type_id = ?", holds[0], floor);
    await run("UPDATE ticket_types SET counters_seq = 1000000 WHERE id = ?", floor);
    expect((await reconcile(admin)).items).toMatchObject([{ ticketTypeId: floor, staleCount: 1, counters: {} }]);
    const release = { tenantId, reservationId: holds[0] ?? "", actor: "test", cause: "test" };
    await env.TICKET_TYPE_INVENTORY.getByName(floor).release(release);
    await tellAll(floor);
    const [[row], [type]] = (await env.DB.batch([
      env.DB.prepare("SELECT status FROM reservations WHERE id = ? AND ticket_type_id = ?").bind(holds[0], floor),
      env.DB.prepare("SELECT held_count FROM ticket_types WHERE id = ?").bind(floor),
    ]).then((answers) => answers.map((answer) => answer.results))) as [unknown[], unknown[]];
    expect([row, type]).toEqual([{ status: "CANCELLED" }, { held_count: 0 }]);
  });

  it("puts a row that lies at another time than its reservation was made back in its place, and leaves no second one", async () => {
    const { tenantId, admin, floor, holds } = await openHall(2);
    const before = await photograph(tenantId);
    await run("UPDATE reservations SET created_at_ms = created_at_ms - 1 WHERE id = ? AND ticket_type_id = ?", holds[0], floor);
    const [found] = (await reconcile(admin)).items;
    expect(found).toMatchObject({ ticketTypeId: floor, missingCount: 1, extraCount: 1, staleCount: 0 });
    expect(await photograph(tenantId)).toEqual(before);
    expect((await reconcile(admin)).items).toEqual([]);
  });

  it("leaves alone what is only on its way to D1", async () => {
    const { tenantId, eventId, admin, floor, balcony } = await openHall(1);
    const stub = env.TICKET_TYPE_INVENTORY.getByName(floor);
    await runInDurableObject(stub, async (_, state) => state.storage.deleteAlarm());
    const command = { tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID(), quantity: 2 };
    const before = await photograph(tenantId);
    await stub.reserve([command]);
    await runInDurableObject(stub, async (_, state) => state.storage.deleteAlarm());
    expect(await reconcile(admin, { eventId })).toMatchObject({ items: [], nextCursor: null });
    expect(await photograph(tenantId)).toEqual(before);
    expect((await reconcile(admin, { ticketTypeId: balcony })).checkedReservationCount).toBe(1);
  });

  it("touches no other tenant, and only the type or event it is asked for", async () => {
    const mine = await openHall(1);
    const theirs = await openHall(1);
    for (const { floor, balcony } of [mine, theirs])
      for (const id of [floor, balcony]) await run("DELETE FROM reservations WHERE ticket_type_id = ?", id);
    for (const body of [{ ticketTypeId: theirs.floor }, { eventId: theirs.eventId }]) await expectNotThere(mine.admin, body);
    expect(await reconcile(mine.admin, { ticketTypeId: mine.floor })).toMatchObject({
      items: [{ ticketTypeId: mine.floor, missingCount: 1 }],
    });
    expect(await reconcile(mine.admin)).toMatchObject({ items: [{ ticketTypeId: mine.balcony, missingCount: 1 }] });
    expect(await reconcile(theirs.admin, { eventId: theirs.eventId })).toMatchObject({ items: [{}, {}] });
  });

  it("goes on where an answer stopped, however small its steps, and finds the same as in one go", async () => {
    const { tenantId, floor, balcony, holds } = await openHall(2);
    const before = await photograph(tenantId);
    await run("DELETE FROM reservations WHERE id = ?", holds[0]);
    await run("UPDATE ticket_types SET held_count = 0 WHERE id = ?", balcony);
    const admin = await makeOrganiser("admin", tenantId);
    const found: string[] = [];
    let cursor: string | null = null;
    let requestCount = 0;
    do {
      const step = { eventId: null, ticketTypeId: null, cursor };
      const answer = await reconcileReservations(admin.contextWith(), step, 1);
      if (!answer.ok) throw new Error("its own cursor was refused");
      for (const { ticketTypeId, missingCount, counters } of answer.value.items)
        found.push(`${ticketTypeId} ${missingCount} ${counters === null ? "" : "counters"}`);
      cursor = answer.value.nextCursor;
      requestCount += 1;
    } while (cursor !== null && requestCount < 20);
    expect(requestCount).toBeGreaterThan(2);
    expect(found.toSorted()).toEqual([`${floor} 1 `, `${balcony} 1 counters`].toSorted());
    expect(await photograph(tenantId)).toEqual(before);
  });

  it("repairs the counted uses of codes, and says of a code without an object that it has none", async () => {
    const { tenantId, eventId, floor, admin } = await openHall(0);
    const manager = await signIn("venue_manager", tenantId);
    const make = async (code: string): Promise<string> =>
      idOf(
        await manager.call("POST", "/api/v1/discounts", { body: { code, type: "percentage", percentBps: 1_000, maxUses: 5 } }),
      );
    const [right, wrong, ahead, lost] = [await make("RIGHT"), await make("WRONG"), await make("AHEAD"), await make("LOST")];
    const buyer = await signIn("user", tenantId);
    const body = { eventId, tickets: [{ ticketTypeId: floor, quantity: 1 }], discountCodes: ["WRONG"] };
    expect(await buyer.call("POST", "/api/v1/purchase", { key: crypto.randomUUID(), body })).toMatchObject({ status: 201 });
    for (const id of [right, wrong, ahead]) await tellAll(discountStockName(id, "uses"));
    await run("UPDATE discounts SET held_count = 3, used_count = 4 WHERE id = ?", wrong);
    await run("UPDATE discounts SET uses_seq = 1000000 WHERE id = ?", ahead);
    const stub = env.TICKET_TYPE_INVENTORY.getByName(discountStockName(lost, "uses"));
    await runInDurableObject(stub, (_, state) => {
      state.storage.sql.exec("DELETE FROM config");
      return state.storage.deleteAlarm();
    });
    await evictDurableObject(stub);
    const found = (await reconcile(admin)).discounts;
    const nothing = { heldCount: 0, usedCount: 0 };
    expect(found).toHaveLength(3);
    expect(found).toEqual(
      expect.arrayContaining([
        {
          discountId: wrong,
          cap: "uses",
          counters: { before: { heldCount: 3, usedCount: 4 }, after: { heldCount: 1, usedCount: 0 } },
          unrepaired: null,
        },
        { discountId: ahead, cap: "uses", counters: { before: nothing, after: nothing }, unrepaired: null },
        { discountId: lost, cap: "uses", counters: null, unrepaired: "no_inventory" },
      ]),
    );
    expect((await reconcile(admin)).discounts).toMatchObject([{ discountId: lost }]);
    expect((await reconcile(admin, { eventId })).discounts).toEqual([]);
  });

  it("deletes nothing on the word of an object that was never configured", async () => {
    const { tenantId, admin, floor } = await openHall(1);
    const before = await photograph(tenantId);
    const stub = env.TICKET_TYPE_INVENTORY.getByName(floor);
    await runInDurableObject(stub, (_, state) => {
      state.storage.sql.exec("DELETE FROM config");
      return state.storage.deleteAlarm();
    });
    await evictDurableObject(stub);
    expect(await reconcile(admin)).toMatchObject({ items: [{ ticketTypeId: floor, unrepaired: "no_inventory" }] });
    expect(await photograph(tenantId)).toEqual(before);
  });

  it("never says that all is well of an event or ticket type that is not there", async () => {
    const { tenantId, eventId, floor, admin } = await openHall(0);
    const manager = await signIn("venue_manager", tenantId);
    const empty = idOf(await manager.call("POST", "/api/v1/events", { body: EVENT_BODY }));
    const nobody = crypto.randomUUID();
    const absent = [{ eventId: nobody }, { ticketTypeId: nobody }, { eventId: empty, ticketTypeId: floor }];
    for (const body of absent) await expectNotThere(admin, body);
    for (const body of [{ eventId: empty }, { eventId, ticketTypeId: floor }]) await reconcile(admin, body);
  });

  it("takes no body for an empty one, and no cursor that it did not give", async () => {
    const { admin } = await openHall(0);
    const bare = await admin.call("POST", "/admin/reservations/reconcile");
    expect(bare).toMatchObject({ status: 200, body: { items: [], nextCursor: null } });
    const refused = await admin.call("POST", "/admin/reservations/reconcile", { body: { cursor: "types.x.y" } });
    expect(refused).toMatchObject({ status: 400, body: { code: "validation_failed", errors: [{ path: "cursor" }] } });
  });
});
