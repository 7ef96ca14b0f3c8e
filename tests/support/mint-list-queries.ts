/** The statements about mints as people see them, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as mintLists from "#storage/mint-lists";

/** Calls by the name of their function. */
export const MINT_LIST_QUERIES: Readonly<Record<string, (db: DrizzleD1Database) => Promise<unknown>>> = {
  findMintJobOfOwner: (db) => mintLists.findMintJobOfOwner(db, { tenantId: "t", ticketId: "k" }, "u"),
  "listMintJobsByStatus, first page": (db) =>
    mintLists.listMintJobsByStatus(db, { tenantId: "t", status: "QUEUED", limit: 20, after: undefined }),
  "listMintJobsByStatus, next page": (db) =>
    mintLists.listMintJobsByStatus(db, { tenantId: "t", status: "QUEUED", limit: 20, after: { createdAtMs: 1, id: "k" } }),
  "requeueMintJobs of an order": (db) => mintLists.requeueMintJobs(db, "t", { orderId: "o" }, 1),
  "requeueMintJobs of tickets": (db) => mintLists.requeueMintJobs(db, "t", { ticketIds: ["k"] }, 1),
  listMintJobsOf: (db) => mintLists.listMintJobsOf(db, "t", { orderId: "o" }),
  claimStaleMintJobs: (db) => mintLists.claimStaleMintJobs(db, { beforeMs: 1, nowMs: 2, limit: 100 }),
};
