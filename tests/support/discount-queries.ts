/** The statements about discounts, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as discounts from "#storage/discounts";
import { makeDiscount } from "./make-discount.ts";

const tenantId = "t";
const page = { limit: 20, after: { createdAtMs: 1, id: "o" } };
const snapshot = { capacity: 1, heldCount: 0, soldCount: 0, availableCount: 1, seq: 1, takenAtMs: 1 };
const HALF = { type: "percentage", percentBps: 5_000 } as const;
const STORED_DISCOUNT: discounts.StoredDiscount = {
  ...makeDiscount(HALF),
  heldCount: 0,
  usedCount: 0,
  usesSeq: 0,
  firstHeldCount: 0,
  firstUsedCount: 0,
  firstSeq: 0,
  createdAtMs: 1,
  updatedAtMs: 1,
  archivedAtMs: null,
};

/** Calls by the name of their function. */
export const DISCOUNT_QUERIES: Readonly<Record<string, (db: DrizzleD1Database, d1: D1Database) => Promise<unknown>>> = {
  findDiscountsByCode: (db) => discounts.findDiscountsByCode(db, tenantId, ["a", "b"]),
  findDiscountRow: (db) => discounts.findDiscountRow(db, tenantId, "d"),
  "listDiscountRows, first page": (db) => discounts.listDiscountRows(db, { tenantId, limit: 20, after: undefined }),
  "listDiscountRows, next page": (db) => discounts.listDiscountRows(db, { tenantId, ...page }),
  insertDiscountRow: (db) => discounts.insertDiscountRow(db, makeDiscount(HALF), 1),
  replaceDiscountRow: (db) =>
    discounts.replaceDiscountRow(db, STORED_DISCOUNT, { terms: STORED_DISCOUNT, archivedAtMs: null }, 1),
  listKnownTypeIds: (db) => discounts.listKnownTypeIds(db, tenantId, ["y", "z"]),
  projectDiscountStock: async (_, d1) => {
    for (const cap of ["uses", "first_tickets"] as const) {
      await discounts.projectDiscountStock(d1, { tenantId, discountId: "d", cap }, snapshot);
    }
  },
};
