import { describe, expect, it } from "vitest";
import { areCountersWrong, formatReconcilePosition, parseReconcilePosition } from "#domain/reconcile";

describe("the position of a reconciliation", () => {
  const id = "0a1b2c3d-4e5f-8a6b-9c7d-0123456789ab";

  it.each([
    { phase: "rows", ticketTypeId: "", createdAtMs: 0, reservationId: "" },
    { phase: "rows", ticketTypeId: id, createdAtMs: 1_760_000_000_000, reservationId: id },
    { phase: "types", afterTypeId: "", position: 0 },
    { phase: "types", afterTypeId: id, position: 4_711 },
    { phase: "codes", after: null },
    { phase: "codes", after: { id, createdAtMs: 1_760_000_000_000 } },
  ] as const)("reads as it was written: %j", (position) => {
    expect(parseReconcilePosition(formatReconcilePosition(position))).toEqual(position);
  });

  it.each([
    "",
    "rows",
    "rows.x.y",
    "rows..0",
    `rows.${id}.${id}`,
    `types.${id}.0.${id}`,
    "types..",
    "types..-1",
    "types..1a",
    "types.'.0",
    "codes..",
    `codes.${id}.x`,
    `lists.${id}.${id}`,
  ])("is nothing else: %j", (text) => {
    expect(parseReconcilePosition(text)).toBeUndefined();
  });
});

describe("counters in D1", () => {
  const snapshot = { capacity: 10, heldCount: 2, soldCount: 3, availableCount: 5, seq: 7, takenAtMs: 1 };
  const right = { quantity: 10, heldCount: 2, soldCount: 3, countersSeq: 7 };

  it.each([
    ["right", right, true, false],
    ["behind while news is under way", { ...right, soldCount: 2, countersSeq: 6 }, false, false],
    ["behind although all was told", { ...right, soldCount: 2, countersSeq: 6 }, true, true],
    ["ahead of their inventory", { ...right, countersSeq: 8 }, false, true],
    ["of another quantity", { ...right, quantity: 9 }, false, true],
    ["of other sales", { ...right, soldCount: 4 }, false, true],
    ["of holds that may have just expired", { ...right, heldCount: 3 }, false, false],
    ["of holds that are not there", { ...right, heldCount: 3 }, true, true],
  ])("are wrong only when no news can explain it: %s", (_, copy, isQuiet, isWrong) => {
    expect(areCountersWrong(copy, snapshot, isQuiet)).toBe(isWrong);
  });
});
