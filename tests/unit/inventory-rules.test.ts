import { describe, expect, it } from "vitest";
import type { InventoryConfig } from "#domain/inventory-messages";
import { MemoryInventory } from "../support/memory-inventory.ts";

const HOLD_MS = 600_000;

function makeConfig(change: Partial<InventoryConfig> = {}): InventoryConfig {
  return {
    tenantId: "tenant",
    eventId: "event",
    ticketTypeId: "type",
    capacity: 10,
    status: "ACTIVE",
    saleStartsAtMs: null,
    saleEndsAtMs: null,
    minPerOrder: 1,
    maxPerOrder: 4,
    maxPerUser: null,
    reservationTtlSeconds: HOLD_MS / 1000,
    ...change,
  };
}

function makeSale(config: InventoryConfig) {
  const inventory = new MemoryInventory(config);
  const { tenantId } = config;
  return {
    reserve: (reservationId: string, quantity: number, nowMs: number, userId = "ann") =>
      inventory.apply({ kind: "reserve", command: { tenantId, reservationId, userId, quantity } }, nowMs),
    confirm: (reservationId: string, orderId: string, nowMs: number) =>
      inventory.apply({ kind: "confirm", command: { tenantId, reservationId, orderId } }, nowMs),
    release: (reservationId: string, nowMs: number) =>
      inventory.apply({ kind: "release", command: { tenantId, reservationId, actor: "ann", cause: "changed_mind" } }, nowMs),
    restock: (reservationId: string, commandId: string, quantity: number, nowMs: number) =>
      inventory.apply(
        { kind: "restock", command: { tenantId, commandId, reservationId, quantity, actor: "clerk", cause: "refund" } },
        nowMs,
      ),
    configure: (change: Partial<InventoryConfig>, nowMs: number) =>
      inventory.apply({ kind: "configure", config: { ...config, ...change } }, nowMs),
    snapshotAt: (nowMs: number) => inventory.snapshotAt(nowMs),
  };
}

const held = { outcome: { ok: true } };
function refusedWith(failure: object): object {
  return { outcome: { ok: false, failure } };
}

describe("a hold", () => {
  it("lasts as long as its caller says, where another hold sets the time", () => {
    const inventory = new MemoryInventory(makeConfig());
    const command = { tenantId: "tenant", reservationId: "a", userId: "ann", quantity: 2, holdMs: 70 };
    expect(inventory.apply({ kind: "reserve", command }, 100)).toMatchObject({ outcome: { ok: true, expiresAtMs: 170 } });
    expect([169, 170].map((nowMs) => inventory.snapshotAt(nowMs).heldCount)).toEqual([2, 0]);
  });

  it("never lasts longer than its type says, whatever its caller says", () => {
    const inventory = new MemoryInventory(makeConfig({ reservationTtlSeconds: 60 }));
    const command = { tenantId: "tenant", reservationId: "a", userId: "ann", quantity: 2, holdMs: 60_001 };
    expect(inventory.apply({ kind: "reserve", command }, 100)).toMatchObject({ outcome: { ok: true, expiresAtMs: 60_100 } });
  });

  it("can be had from the moment a sale starts up to the moment it ends", () => {
    const sale = makeSale(makeConfig({ saleStartsAtMs: 100, saleEndsAtMs: 200 }));
    const closed = refusedWith({ code: "not_on_sale", ticketTypeId: "type" });
    expect(sale.reserve("a", 1, 99)).toMatchObject(closed);
    expect(sale.reserve("a", 1, 100)).toMatchObject(held);
    expect(sale.reserve("b", 1, 199)).toMatchObject(held);
    expect(sale.reserve("c", 1, 200)).toMatchObject(closed);
  });

  it("is never of fewer or more tickets than an order may have, nor of a fraction", () => {
    const sale = makeSale(makeConfig({ minPerOrder: 2, maxPerOrder: 4 }));
    for (const quantity of [-2, 0, 1, 2.5, 5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(sale.reserve("a", quantity, 0)).toMatchObject(
        refusedWith({ code: "quantity_out_of_range", minPerOrder: 2, maxPerOrder: 4 }),
      );
    }
    expect(sale.reserve("a", 2, 0)).toMatchObject(held);
    expect(sale.reserve("b", 4, 0)).toMatchObject(held);
  });

  it("is found again by its repeat and is never made twice, also when the sale has closed meanwhile", () => {
    const sale = makeSale(makeConfig());
    const first = sale.reserve("a", 2, 0);
    sale.configure({ status: "ARCHIVED" }, 1);
    expect(sale.reserve("a", 2, 5)).toEqual(first);
    expect(sale.snapshotAt(5)).toMatchObject({ heldCount: 2 });
  });

  it("is not confirmed to a repeat that asks for another quantity or is another buyer's", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 2, 0);
    expect(sale.reserve("a", 3, 1)).toMatchObject(refusedWith({ code: "reservation_not_active" }));
    expect(sale.reserve("a", 2, 1, "bob")).toMatchObject(refusedWith({ code: "reservation_not_active" }));
  });

  it("that has expired, was given back or was sold is not made anew by a repeat", () => {
    const sale = makeSale(makeConfig());
    for (const id of ["a", "b", "c"]) sale.reserve(id, 1, 0);
    sale.release("b", 1);
    sale.confirm("c", "order", 1);
    expect(sale.reserve("a", 1, HOLD_MS)).toMatchObject(refusedWith({ code: "reservation_expired" }));
    expect(sale.reserve("b", 1, 2)).toMatchObject(refusedWith({ code: "reservation_not_active" }));
    expect(sale.reserve("c", 1, 2)).toMatchObject(refusedWith({ code: "reservation_not_active" }));
  });

  it("that cannot be had says how many tickets are left", () => {
    const sale = makeSale(makeConfig({ capacity: 3 }));
    sale.reserve("a", 2, 0);
    const shortages = [{ ticketTypeId: "type", availableCount: 1 }];
    expect(sale.reserve("b", 2, 0, "bob")).toMatchObject(refusedWith({ code: "sold_out", shortages }));
  });

  it("counts against its buyer's maximum until it ends, and a ticket until it is given back", () => {
    const sale = makeSale(makeConfig({ maxPerUser: 4 }));
    sale.reserve("a", 2, 0);
    sale.reserve("b", 2, 0);
    const refused = refusedWith({ code: "user_limit_reached", ticketTypeId: "type", maxPerUser: 4 });
    expect(sale.reserve("c", 1, 0)).toMatchObject(refused);
    expect(sale.reserve("d", 4, 0, "bob")).toMatchObject(held);
    sale.confirm("a", "order", 1);
    expect(sale.reserve("c", 3, HOLD_MS)).toMatchObject(refused);
    expect(sale.reserve("e", 2, HOLD_MS)).toMatchObject(held);
    sale.restock("a", "refund", 1, HOLD_MS);
    expect(sale.reserve("f", 1, HOLD_MS)).toMatchObject(held);
  });
});

describe("a payment", () => {
  it("is honoured though the sale has ended or the type was archived", () => {
    const sale = makeSale(makeConfig({ saleEndsAtMs: 10 }));
    sale.reserve("a", 1, 0);
    sale.configure({ status: "ARCHIVED" }, 11);
    expect(sale.confirm("a", "order", 20)).toMatchObject({ outcome: { ok: true, retaken: false } });
  });

  it("that comes after the hold expired takes the stock again, and its repeat hears the same", () => {
    const sale = makeSale(makeConfig({ capacity: 1 }));
    sale.reserve("a", 1, 0);
    const retaken = { outcome: { ok: true, retaken: true } };
    expect(sale.confirm("a", "order", HOLD_MS)).toMatchObject(retaken);
    expect(sale.confirm("a", "order", HOLD_MS + 1)).toMatchObject(retaken);
    expect(sale.snapshotAt(HOLD_MS + 1)).toMatchObject({ soldCount: 1, heldCount: 0, availableCount: 0 });
  });

  it("that comes after another took the stock is told so", () => {
    const sale = makeSale(makeConfig({ capacity: 1 }));
    sale.reserve("a", 1, 0);
    sale.reserve("b", 1, HOLD_MS, "bob");
    expect(sale.confirm("a", "order", HOLD_MS)).toMatchObject(
      refusedWith({ code: "sold_out", shortages: [{ availableCount: 0 }] }),
    );
  });

  it("that was refused stays refused when stock comes free: its money is on the way back", () => {
    const sale = makeSale(makeConfig({ capacity: 1 }));
    sale.reserve("a", 1, 0);
    sale.reserve("b", 1, HOLD_MS, "bob");
    sale.confirm("a", "order", HOLD_MS);
    expect(sale.snapshotAt(2 * HOLD_MS)).toMatchObject({ availableCount: 1 });
    expect(sale.confirm("a", "order", 2 * HOLD_MS)).toMatchObject(refusedWith({ code: "reservation_not_active" }));
  });

  it("that comes late is honoured though its buyer gave the hold back, but after it had expired", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 1, 0);
    expect(sale.release("a", HOLD_MS)).toMatchObject(held);
    expect(sale.reserve("a", 1, HOLD_MS)).toMatchObject(refusedWith({ code: "reservation_expired" }));
    expect(sale.confirm("a", "order", HOLD_MS)).toMatchObject({ outcome: { ok: true, retaken: true } });
  });

  it("never sells one hold to two orders", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 1, 0);
    sale.confirm("a", "order", 1);
    expect(sale.confirm("a", "another", 1)).toMatchObject(refusedWith({ code: "reservation_not_active" }));
  });
});

describe("tickets given back", () => {
  it("are on sale again once, however often the command comes, and never more than were sold", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 3, 0);
    expect(sale.restock("a", "r1", 1, 1)).toMatchObject(refusedWith({ code: "reservation_not_active" }));
    sale.confirm("a", "order", 1);
    expect(sale.restock("a", "r1", 2, 2)).toMatchObject(held);
    expect(sale.restock("a", "r1", 2, 3)).toMatchObject(held);
    expect(sale.snapshotAt(3)).toMatchObject({ soldCount: 1, availableCount: 9 });
    expect(sale.restock("a", "r2", 2, 4)).toMatchObject(refusedWith({ code: "quantity_out_of_range", maxPerOrder: 1 }));
    expect(sale.snapshotAt(4)).toMatchObject({ soldCount: 1 });
  });

  it("are whole tickets, one at least: less would take tickets off the sale", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 3, 0);
    sale.confirm("a", "order", 1);
    for (const quantity of [-1, 0, 0.5, Number.NaN]) {
      const refused = refusedWith({ code: "quantity_out_of_range", minPerOrder: 1, maxPerOrder: 3 });
      expect(sale.restock("a", `r${quantity}`, quantity, 2)).toMatchObject(refused);
    }
    expect(sale.snapshotAt(2)).toMatchObject({ soldCount: 3 });
  });
});

describe("the capacity", () => {
  it("can fall to what is held and sold but not below, and expired holds don't count", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 2, 0);
    sale.reserve("b", 1, 0);
    sale.confirm("b", "order", 1);
    const refused = sale.configure({ capacity: 2, status: "ARCHIVED" }, 1);
    expect(refused).toMatchObject(refusedWith({ code: "capacity_below_committed", committedCount: 3 }));
    expect(sale.configure({ capacity: 3 }, 1)).toMatchObject({ outcome: { ok: true, snapshot: { availableCount: 0 } } });
    expect(sale.configure({ capacity: 1 }, HOLD_MS)).toMatchObject({ outcome: { ok: true, snapshot: { availableCount: 0 } } });
  });

  it("that fell because a hold had expired does not meet that hold again on a machine whose clock is behind", () => {
    const sale = makeSale(makeConfig());
    sale.reserve("a", 2, 0);
    sale.configure({ capacity: 1 }, HOLD_MS);
    expect(sale.snapshotAt(HOLD_MS - 1)).toMatchObject({ heldCount: 0, availableCount: 1 });
    expect(sale.confirm("a", "order", HOLD_MS - 1)).toMatchObject(refusedWith({ code: "sold_out" }));
  });
});
