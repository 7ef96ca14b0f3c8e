/** The statements about trees, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as trees from "#storage/tenant-trees";

const tenantId = "t";
const tree = { address: "m", tenantId, number: 1, requestId: null, mintedCount: 0 };
const shape = { depth: 3, bufferSize: 8, canopyDepth: 0, capacity: 8 };

/** Calls by the name of their function. */
export const TREE_QUERIES: Readonly<Record<string, (db: DrizzleD1Database) => Promise<unknown>>> = {
  listTenantTrees: (db) => trees.listTenantTrees(db, tenantId),
  findTree: (db) => trees.findTree(db, "m"),
  findTreeOfRequest: (db) => trees.findTreeOfRequest(db, "r"),
  findActiveTree: (db) => trees.findActiveTree(db, tenantId),
  findNextTree: (db) => trees.findNextTree(db, tenantId),
  insertTenantTree: (db) => trees.insertTenantTree(db, { ...tree, ...shape, status: "OPEN" }, 1),
  storeTreeOpened: (db) => trees.storeTreeOpened(db, tree, 1),
  storeTreeError: (db) => trees.storeTreeError(db, "m", "error", 1),
  storeLookupTable: (db) => trees.storeLookupTable(db, "m", "table", 1),
  retireTree: (db) => trees.retireTree(db, tree, 1),
  raiseMintedCount: async (db) => trees.raiseMintedCount(db, "m", 1),
  listOpeningTrees: (db) => trees.listOpeningTrees(db, 1, 10),
  listFillingTrees: (db) => trees.listFillingTrees(db, 10),
};
