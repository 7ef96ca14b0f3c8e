import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { InventoryProjector } from "#durable-objects/inventory-projector/inventory-projector";
import { isD1ConstraintError, isD1Refusal } from "#storage/d1-errors";
import { projectInventory } from "#storage/reservations";
import { flushInventory, listReservations, makeHold, openInventory } from "../support/inventory-in-d1.ts";

/** More than D1 takes of one statement. */
const TOO_LONG = " ".repeat(110_000);

function failureOf(sql: string): Promise<unknown> {
  return env.DB.prepare(sql)
    .run()
    .catch((error: unknown) => error);
}

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([
  ["a broken constraint", "INSERT INTO events (id) VALUES (NULL)", true],
  ["what is too big", `SELECT 1 ${TOO_LONG}`, false],
])("tells %s, which fails again whenever it is tried, from a database that is away", async (_what, sql, isConstraint) => {
  const error = await failureOf(sql);
  expect([isD1Refusal(error), isD1ConstraintError(error)]).toEqual([true, isConstraint]);
  expect(isD1Refusal(new Error("Failed query", { cause: error }))).toBe(true);
});

it.each(["D1_ERROR: string or blob too big: SQLITE_TOOBIG", "D1_ERROR: datatype mismatch: SQLITE_MISMATCH"])(
  "lets rows rest that D1 refuses with %j",
  (message) => {
    expect(isD1Refusal(new Error(message))).toBe(true);
  },
);

it("keeps all rows in order while a column is not there yet", async () => {
  expect(isD1Refusal(await failureOf("SELECT not_there_yet FROM orders"))).toBe(false);
});

it.each([
  "D1_ERROR: Network connection lost.",
  "D1_ERROR: D1 DB is overloaded. Too many requests queued.",
  "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
  "D1_ERROR: D1 DB exceeded its CPU time limit and was reset.",
  "D1_ERROR: database or disk is full: SQLITE_FULL",
])("keeps all rows in order while D1 says %j", (message) => {
  expect(isD1Refusal(new Error(message))).toBe(false);
});

it("lets the one row rest that is too big for D1, and tells the others", async () => {
  const { config, stub } = await openInventory();
  await flushInventory(stub);
  vi.spyOn(InventoryProjector.prototype, "project").mockImplementation(async (news) => {
    if (news.changes.some(({ quantity }) => quantity === 7)) throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
    return projectInventory(env.DB, news);
  });
  await stub.reserve([makeHold(config), makeHold(config, 7), makeHold(config)]);
  await runDurableObjectAlarm(stub);
  const waiting = await runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT attempts FROM outbox").toArray());
  expect(waiting).toEqual([{ attempts: 1 }]);
  expect(await listReservations(config)).toHaveLength(2);
});
