import { describe, expect, it } from "vitest";
import type { InventorySnapshot } from "#domain/inventory-messages";
import type { ServiceContext } from "#services/context";
import { findStock, forgetStock, rememberStock } from "#services/ticket-type/stock-cache";
import { decideAvailability } from "#services/ticket-type/ticket-type-view";

const NOW_MS = Date.now();

function snapshotOf(heldCount: number, seq: number, takenAtMs = NOW_MS): InventorySnapshot {
  return { capacity: 10, heldCount, soldCount: 0, availableCount: 10 - heldCount, seq, takenAtMs };
}

/** A context in which the inventory answers with `stock`, or whatever `read` does. */
function contextOf(read: () => InventorySnapshot | undefined, nowMs = NOW_MS): ServiceContext {
  const snapshot = (): Promise<InventorySnapshot | undefined> => Promise.resolve(read());
  return { nowMs, inventory: () => ({ snapshot }) } as unknown as ServiceContext; // nothing else is asked
}

async function heldOf(ticketTypeId: string, atInventory: InventorySnapshot, nowMs = NOW_MS): Promise<number | undefined> {
  return (
    await findStock(
      contextOf(() => atInventory, nowMs),
      ticketTypeId,
    )
  )?.heldCount;
}

describe("stock figures that an isolate remembers", () => {
  it("are the inventory's again after half a second", async () => {
    const typeId = crypto.randomUUID();
    expect(await heldOf(typeId, snapshotOf(1, 1))).toBe(1);
    expect(await heldOf(typeId, snapshotOf(2, 2))).toBe(1);
    expect(await heldOf(typeId, snapshotOf(2, 2), Date.now() + 501)).toBe(2);
  });

  it("show a buyer their own hold at once", async () => {
    const typeId = crypto.randomUUID();
    expect(await heldOf(typeId, snapshotOf(1, 1))).toBe(1);
    rememberStock([{ ticketTypeId: typeId, snapshot: snapshotOf(3, 2) }]);
    expect(await heldOf(typeId, snapshotOf(9, 9))).toBe(3);
  });

  it("never go back to an answer that was overtaken on its way", async () => {
    const typeId = crypto.randomUUID();
    rememberStock([{ ticketTypeId: typeId, snapshot: snapshotOf(3, 7) }]);
    rememberStock([{ ticketTypeId: typeId, snapshot: snapshotOf(2, 6) }]);
    expect(await heldOf(typeId, snapshotOf(9, 9))).toBe(3);
    rememberStock([{ ticketTypeId: typeId, snapshot: snapshotOf(4, 7, NOW_MS - 1) }]);
    expect(await heldOf(typeId, snapshotOf(9, 9))).toBe(3);
    rememberStock([{ ticketTypeId: typeId, snapshot: snapshotOf(1, 7, NOW_MS + 1) }]);
    expect(await heldOf(typeId, snapshotOf(9, 9))).toBe(1);
  });

  it("are asked for anew after something was given back, also by a read that was under way", async () => {
    const typeId = crypto.randomUUID();
    const readBefore = contextOf(() => {
      forgetStock([typeId]);
      return snapshotOf(5, 1);
    });
    await findStock(readBefore, typeId);
    expect(await heldOf(typeId, snapshotOf(4, 2))).toBe(4);
    forgetStock([typeId]);
    expect(await heldOf(typeId, snapshotOf(3, 3))).toBe(3);
  });

  it("are not made up for a type that has no inventory", async () => {
    expect(
      await findStock(
        contextOf(() => undefined),
        crypto.randomUUID(),
      ),
    ).toBeUndefined();
  });
});

describe("what a buyer is told", () => {
  const onSale = { status: "ACTIVE", saleStartsAtMs: 1_000, saleEndsAtMs: 2_000 } as const;
  const plenty = { availableCount: 1, heldCount: 0 };

  it.each([
    [999, "not_on_sale"],
    [1_000, "available"],
    [1_999, "available"],
    [2_000, "not_on_sale"],
  ])("at %i of a sale from 1000 to 2000 is %s", (nowMs, availability) => {
    expect(decideAvailability(onSale, plenty, nowMs)).toBe(availability);
  });

  it.each([
    [{ availableCount: 1, heldCount: 9 }, "available"],
    [{ availableCount: 0, heldCount: 1 }, "reserved"],
    [{ availableCount: 0, heldCount: 0 }, "sold_out"],
  ])("with %j is %s", (stock, availability) => {
    expect(decideAvailability({ ...onSale, saleStartsAtMs: null, saleEndsAtMs: null }, stock, 1)).toBe(availability);
  });

  it("is that it is not on sale when it is archived, whatever is left", () => {
    expect(decideAvailability({ ...onSale, status: "ARCHIVED" }, plenty, 1_500)).toBe("not_on_sale");
  });
});
