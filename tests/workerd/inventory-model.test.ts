import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import type { InventoryCommand } from "#domain/inventory-group";
import type { InventoryConfig } from "#domain/inventory-messages";
import type { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { insertEvent, insertTicketType, makeInventoryConfig } from "../support/inventory-fixture.ts";
import { NaiveInventory } from "../support/naive-inventory.ts";

type Stub = DurableObjectStub<TicketTypeInventory>;
type Command = Exclude<InventoryCommand, { kind: "sweep" }>;
/** Besides commands: the sale is changed, time passes, the object loses its memory, its alarm runs. */
type Step =
  | Exclude<Command, { kind: "configure" }>
  | { readonly kind: "change"; readonly change: Partial<InventoryConfig> }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "evict" }
  | { readonly kind: "alarm" };

const HOLD_SECONDS = 5;
const tenantId = crypto.randomUUID();
const NAMES = ["a", "b", "c", "d"];
const anyName = fc.constantFrom(...NAMES);

/** A reservation's user and quantity follow from its name, but for a few repeats that come with another quantity. */
const anyReserve = fc
  .tuple(anyName, fc.constantFrom(0, 0, 0, 0, 1), fc.constantFrom({}, {}, { holdMs: 1 }, { holdMs: HOLD_SECONDS * 2_000 }))
  .map(([reservationId, extra, holdTime]): Step => {
    const position = NAMES.indexOf(reservationId);
    const quantity = 1 + (position >> 1) + extra;
    return { kind: "reserve", command: { tenantId, reservationId, userId: `user ${position % 2}`, quantity, ...holdTime } };
  });
const anyConfirm = fc.tuple(anyName, fc.constantFrom("first", "first", "other")).map(([reservationId, order]): Step => {
  return { kind: "confirm", command: { tenantId, reservationId, orderId: `${order} order of ${reservationId}` } };
});
const anyRelease = anyName.map((reservationId): Step => {
  return { kind: "release", command: { tenantId, reservationId, actor: "buyer", cause: "changed_mind" } };
});
const anyRestock = fc
  .tuple(anyName, fc.constantFrom("r1", "r2"), fc.constantFrom(1, 2))
  .map(([reservationId, commandId, quantity]): Step => {
    return { kind: "restock", command: { tenantId, commandId, reservationId, quantity, actor: "clerk", cause: "refund" } };
  });
const anyChange = fc
  .record({
    capacity: fc.integer({ min: 1, max: 6 }),
    maxPerUser: fc.constantFrom(null, 2, 3),
    status: fc.constantFrom("ACTIVE" as const, "ACTIVE" as const, "ARCHIVED" as const),
    reservationTtlSeconds: fc.constantFrom(HOLD_SECONDS, HOLD_SECONDS + 1),
  })
  .map((change): Step => ({ kind: "change", change }));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyReserve },
  { weight: 5, arbitrary: anyConfirm },
  { weight: 2, arbitrary: anyRelease },
  { weight: 4, arbitrary: anyRestock },
  { weight: 1, arbitrary: anyChange },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 1, HOLD_SECONDS * 1000 - 1, HOLD_SECONDS * 1000).map((ms): Step => ({ kind: "wait", ms })),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: "evict" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "alarm" }) },
);

async function send(stub: Stub, message: Command): Promise<unknown> {
  switch (message.kind) {
    case "configure": {
      const outcome = await stub.configure(message.config);
      return outcome.ok ? { ok: true } : outcome;
    }
    case "reserve":
      return (await stub.reserve([message.command])).outcomes[0];
    case "confirm":
      return (await stub.confirm([message.command]))[0];
    case "release":
      return stub.release(message.command);
    case "restock":
      return stub.restock(message.command);
  }
}

/** Runs the alarm. What has ended by then is reported, so none of it may still be stored as alive. */
async function sweep(stub: Stub, nowMs: number): Promise<void> {
  const unreported = await runInDurableObject(stub, async (instance: TicketTypeInventory, state) => {
    await instance.alarm();
    const ended = "SELECT reservation_id FROM reservations WHERE status = 'ACTIVE' AND expires_at_ms <= ?";
    return state.storage.sql.exec(ended, nowMs).toArray();
  });
  expect(unreported).toEqual([]);
}

/** Takes the step; returns by how much time moved. */
async function takeStep(stub: Stub, naive: NaiveInventory, step: Step, nowMs: number): Promise<number> {
  if (step.kind === "wait") return step.ms;
  if (step.kind === "evict") await evictDurableObject(stub);
  else if (step.kind === "alarm") await sweep(stub, nowMs);
  else {
    const message: Command = step.kind === "change" ? { kind: "configure", config: { ...naive.config, ...step.change } } : step;
    expect(await send(stub, message)).toEqual(naive.apply(message, nowMs));
  }
  return 0;
}

async function compare(stub: Stub, naive: NaiveInventory, nowMs: number): Promise<void> {
  expect(await stub.snapshot()).toMatchObject({
    capacity: naive.config.capacity,
    heldCount: naive.heldCount(nowMs),
    soldCount: naive.soldCount(),
    availableCount: naive.availableCount(nowMs),
  });
  expect(naive.availableCount(nowMs)).toBeGreaterThanOrEqual(0);
}

afterEach(() => {
  vi.useRealTimers();
});

it(
  "answers like a plain list of reservations, whatever is asked, whenever it forgets its memory or is late to sweep",
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 20, maxLength: 60 }), async (steps) => {
        let nowMs = 1_800_000_000_000;
        vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
        const config = makeInventoryConfig({ tenantId, capacity: 4, maxPerOrder: 2, reservationTtlSeconds: HOLD_SECONDS });
        await insertEvent(config);
        await insertTicketType(config);
        const naive = new NaiveInventory(config);
        const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
        await stub.configure(config);
        for (const step of steps) {
          nowMs += await takeStep(stub, naive, step, nowMs);
          vi.setSystemTime(nowMs);
          await compare(stub, naive, nowMs);
        }
      }),
      { numRuns: 25 },
    );
  },
);
