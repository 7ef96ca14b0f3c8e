/** Every statement that `src/storage` sends to D1, with SQLite's plan for it: each must find its rows through an index. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { listAssetBurns, listAssetMoves } from "#storage/asset-moves";
import * as blacklists from "#storage/blacklists";
import { claimIdempotencyKey, findRefusal, storeRefusal } from "#storage/idempotency-keys";
import * as doorTypes from "#storage/door-types";
import * as events from "#storage/events";
import * as mintJobs from "#storage/mint-jobs";
import { leaseOrderNumbers } from "#storage/order-number-leases";
import { listDueChecks } from "#storage/payment-checks";
import * as orders from "#storage/orders";
import { insertQrCode } from "#storage/qr-codes";
import * as reservations from "#storage/reservations";
import * as tenants from "#storage/tenants-of";
import { findTicketFace } from "#storage/ticket-faces";
import * as ticketTypes from "#storage/ticket-types";
import { projectValidations } from "#storage/ticket-validations";
import * as tickets from "#storage/tickets";
import * as acceptance from "#storage/transfer-acceptance";
import * as transfers from "#storage/transfers";
import { explain, explainCall, type Call } from "../support/explain.ts";
import { DISCOUNT_QUERIES } from "../support/discount-queries.ts";
import { MINT_LIST_QUERIES } from "../support/mint-list-queries.ts";
import { PAYMENT_QUERIES } from "../support/payment-queries.ts";
import { ASSET_QUERIES } from "../support/asset-queries.ts";
import { TREE_QUERIES } from "../support/tree-queries.ts";
import { UPKEEP_QUERIES } from "../support/upkeep-queries.ts";
import { WEBHOOK_QUERIES } from "../support/webhook-queries.ts";

/**
 * Steps that read a table of ours from end to end. Lists handed over as JSON, and results of subqueries, are meant to be.
 * A table that the statement does not name is in its plan for a foreign key that refers to the table written; SQLite jumps over
 * that step (FkIfZero) unless a row of the same statement has broken a key already.
 */
async function listScans(statement: string): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{ name: string }>();
  const tables = new Set(results.map((row) => row.name));
  return (await explain(statement)).filter((step) => {
    const table = /^SCAN (\S+)/.exec(step)?.[1] ?? "";
    return tables.has(table) && statement.includes(table);
  });
}

/** A tenant has few trees and webhook endpoints. A table that the statement does not name is there for a foreign key: see {@link listScans}. */
function readsAllOfAnOwner(step: string, statement: string): boolean {
  const [, table, index] =
    /^SEARCH (\S+) (.*)\((?:tenant_id|tree_address|ticket_type_id)=\?(?: AND status=\?)?\)/.exec(step) ?? [];
  return table !== undefined && statement.includes(table) && !/tenant_trees|webhook_endpoints/.test(`${table} ${index}`);
}

const tenantId = "t";
const identity = { id: "e", tenantId };
const job = { tenantId, ticketId: "k" };
const task = { ...job, orderId: "o", signature: "s", treeAddress: "m" };
const page = { limit: 20, after: { createdAtMs: 1, id: "o" } };
const event = { name: "n", venueName: null, startsAtMs: 1, endsAtMs: 2, timezone: "UTC", currency: "EUR" };
const type = {
  name: "n",
  description: null,
  priceCents: 1,
  saleStartsAtMs: null,
  saleEndsAtMs: null,
  minPerOrder: 1,
  maxPerOrder: 1,
  maxPerUser: null,
  reservationTtlSeconds: 600,
  transferable: true,
  feeCents: 0,
  taxRateBps: 0,
};
const mintedInto = { treeAddress: "m", collectionAddress: "c" };
const signed = { signature: "s", wireBase64: "w", lastValidBlockHeight: 1, ...mintedInto, lastError: null, nowMs: 1 };
const snapshot = { capacity: 1, heldCount: 0, soldCount: 0, availableCount: 1, seq: 1, takenAtMs: 1 };

/** Calls that read or change what is there already. The function's own name says which. */
const CALLS: Readonly<Record<string, Call>> = {
  findEventRow: (db) => events.findEventRow(db, tenantId, "e"),
  listForeignCollections: (db) => events.listForeignCollections(db, tenantId, ["c", "d"]),
  storeCollections: (db) => events.storeCollections(db, identity, { collectionAddress: "c", frozenCollectionAddress: null }, 1),
  updateEventRow: (db) => events.updateEventRow(db, identity, event, 1),
  findEventWithTypes: (db) => ticketTypes.findEventWithTypes(db, "e"),
  findEventWithTypesOf: (db) => ticketTypes.findEventWithTypesOf(db, "y"),
  findTicketTypeRow: (db) => ticketTypes.findTicketTypeRow(db, tenantId, "y"),
  insertTicketTypeRow: (db) =>
    ticketTypes.insertTicketTypeRow(db, { ...type, id: "y", tenantId, eventId: "e", quantity: 1 }, 1),
  replaceTicketTypeRow: (db) =>
    ticketTypes.replaceTicketTypeRow(
      db,
      {
        ...type,
        id: "y",
        tenantId,
        eventId: "e",
        number: 1,
        quantity: 1,
        status: "ACTIVE",
        heldCount: 0,
        soldCount: 0,
        countersSeq: 0,
        createdAtMs: 1,
        updatedAtMs: 1,
      },
      { ...type, status: "ACTIVE" },
      1,
    ),
  ...DISCOUNT_QUERIES,
  listDoorTypes: (db) => doorTypes.listDoorTypes(db, tenantId, "e"),
  findOrderRow: (db) => orders.findOrderRow(db, tenantId, "o", 1),
  "listOrderRows, first page": (db) =>
    orders.listOrderRows(db, { tenantId, userId: "u", limit: 20, after: undefined, nowMs: 1 }),
  "listOrderRows of a tenant": (db) =>
    orders.listOrderRows(db, { tenantId, userId: null, limit: 20, after: undefined, nowMs: 1 }),
  "listOrderRows of a tenant, next page": (db) => orders.listOrderRows(db, { tenantId, userId: null, ...page, nowMs: 1 }),
  "listOrderRows, next page": (db) => orders.listOrderRows(db, { tenantId, userId: "u", ...page, nowMs: 1 }),
  findTicketRow: (db) => tickets.findTicketRow(db, tenantId, "k"),
  "listTicketRows, first page": (db) => tickets.listTicketRows(db, { tenantId, ownerUserId: "u", limit: 20, after: undefined }),
  "listTicketRows, next page": (db) => tickets.listTicketRows(db, { tenantId, ownerUserId: "u", ...page }),
  listTicketRowsOfOrder: (db) => tickets.listTicketRowsOfOrder(db, tenantId, "o"),
  listStoredTicketIds: (db) => tickets.listStoredTicketIds(db, tenantId, ["k"]),
  findTicketFace: (db) => findTicketFace(db, "k"),
  findTenantOfOrder: (db) => tenants.findTenantOfOrder(db, "o"),
  findTenantOfTicket: (db) => tenants.findTenantOfTicket(db, "k"),
  findMintTasks: (db) => mintJobs.findMintTasks(db, [job]),
  storeSignedMints: (db) => mintJobs.storeSignedMints(db, [{ ...job, signature: "p", error: null }], signed),
  storeMintError: (db) => mintJobs.storeMintError(db, [job], "error", 1),
  storeCollectionAddress: (db) => events.storeCollectionAddress(db, { tenantId, eventId: "e", isTransferable: false }, "c", 1),
  storeMinted: (db) => mintJobs.storeMinted(db, [{ ...task, assetId: "a", leafIndex: 1 }], 1),
  storeMintFailure: (db) => mintJobs.storeMintFailure(db, task, "error", 1),
  ...MINT_LIST_QUERIES,
  storeMintCancelled: (db) => mintJobs.storeMintCancelled(db, task, 1),
  ...ASSET_QUERIES,
  claimIdempotencyKey: (db) =>
    claimIdempotencyKey(db, { tenantId, userId: "u", route: "POST /mint", requestId: "r", bodyHash: "h" }, 1),
  storeRefusal: (db) => storeRefusal(db, "r", { code: "ticket_not_valid" }),
  findRefusal: (db) => findRefusal(db, "r"),
  leaseOrderNumbers: (_, d1) => leaseOrderNumbers(d1, tenantId, "key"),
  "listAssetMoves, first page": (db) => listAssetMoves(db, { tenantId, status: "QUEUED", limit: 20, after: undefined }),
  "listAssetMoves, next page": (db) => listAssetMoves(db, { tenantId, status: "QUEUED", ...page }),
  "listAssetBurns, first page": (db) => listAssetBurns(db, { tenantId, status: "QUEUED", limit: 20, after: undefined }),
  "listAssetBurns, next page": (db) => listAssetBurns(db, { tenantId, status: "QUEUED", ...page }),
  upsertBlacklistRow: (db) => blacklists.upsertBlacklistRow(db, BARRED),
  deleteBlacklistRow: (db) => blacklists.deleteBlacklistRow(db, tenantId, "u"),
  findBlacklistRow: (db) => blacklists.findBlacklistRow(db, tenantId, "u", 1),
  listBarredUsers: (db) => blacklists.listBarredUsers(db, { tenantId, limit: 20, nowMs: 1 }),
  "listBlacklistRows, first page": (db) =>
    blacklists.listBlacklistRows(db, { tenantId, limit: 20, after: undefined, nowMs: 1 }),
  "listBlacklistRows, next page": (db) => blacklists.listBlacklistRows(db, { tenantId, ...page, nowMs: 1 }),
  findPassableTicket: (db) => transfers.findPassableTicket(db, tenantId, "k"),
  findTransfer: (db) => transfers.findTransfer(db, tenantId, "f"),
  insertTransfer: (db) => transfers.insertTransfer(db, OFFER),
  endTransfer: (db) => transfers.endTransfer(db, OFFER, { status: "CANCELLED", byRecipient: null, nowMs: 1 }),
  expireTransfers: (db) => transfers.expireTransfers(db, 1, 100),
  "listTransfersOfPerson, first page": (db) =>
    transfers.listTransfersOfPerson(db, { tenantId, ...PERSON, limit: 20, after: undefined }),
  "listTransfersOfPerson, next page": (db) => transfers.listTransfersOfPerson(db, { tenantId, ...PERSON, ...page }),
  "listTransfersOfTicket, first page": (db) =>
    transfers.listTransfersOfTicket(db, { tenantId, ticketId: "k", party: null, limit: 20, after: undefined }),
  "listTransfersOfTicket, next page": (db) =>
    transfers.listTransfersOfTicket(db, { tenantId, ticketId: "k", party: PERSON, ...page }),
  claimTransfer: (db) => acceptance.claimTransfer(db, { tenantId, id: "f", userId: "u", walletAddress: null, nowMs: 1 }),
  completeTransfer: (db) => acceptance.completeTransfer(db, CLAIMED, 1),
  failTransfer: (db) => acceptance.failTransfer(db, CLAIMED, "ticket_used", 1),
  "listStuckTransfers, first page": (db) => acceptance.listStuckTransfers(db, 1, 50),
  putOffStuckTransfer: (db) => acceptance.putOffStuckTransfer(db, CLAIMED, 1),
  insertEventRow: (db) => events.insertEventRow(db, identity, event, 1),
  insertQrCode: (db) => insertQrCode(db, { ticketId: "k", userId: "u", credentialEpoch: 0, tenantId, firstIssuedAtMs: 1 }),
  projectInventory: (_, d1) =>
    reservations.projectInventory(d1, { tenantId, eventId: "e", ticketTypeId: "y", changes: [CHANGE], snapshot }),
  projectInventories: (_, d1) =>
    reservations.projectInventories(d1, [{ tenantId, eventId: "e", ticketTypeId: "y", changes: [CHANGE], snapshot }]),
  ...PAYMENT_QUERIES,
  ...UPKEEP_QUERIES,
  ...WEBHOOK_QUERIES,
  ...TREE_QUERIES,
  projectValidations: (_, d1) => projectValidations(d1, { tenantId, eventId: "e" }, [{ seq: 1, scan: SCAN }]),
};

const PERSON = { userId: "u", emailFingerprint: "x" };
const BARRED = { tenantId, userId: "u", reason: "r", createdBy: "a", createdAtMs: 1, expiresAtMs: null };
const OFFER = {
  id: "f",
  tenantId,
  ticketId: "k",
  fromUserId: "u",
  toUserId: "v",
  emailFingerprint: null,
  expiresAtMs: 2,
  createdAtMs: 1,
};
const CLAIMED = { ...OFFER, eventId: "e", claimedByUserId: "v", credentialEpoch: 0 };
// Bodies that D1 refuses for their foreign keys, which is all the same: the statements were sent.
const CHANGE = { seq: 1, reservationId: "r" } as unknown as reservations.ReservationNews;
const SCAN = { isFirstAdmission: true } as unknown as Parameters<typeof projectValidations>[2][number]["scan"];

describe("a query finds its rows through an index, however many there are:", () => {
  it.each(Object.entries(CALLS))("%s", async (_, call) => {
    const explained = await explainCall(call);
    expect(explained.length).toBeGreaterThan(0);
    for (const { statement } of explained) expect(await listScans(statement), statement).toEqual([]);
  });

  it("due checks of payments are found through the index of those that are to be checked alone", async () => {
    const [due] = await explainCall((_, d1) => listDueChecks(d1, 1, 10));
    expect(due?.plan).toEqual([
      expect.stringContaining("SEARCH payments USING INDEX payments_to_check (next_check_at_ms<?)"),
      expect.stringContaining("SEARCH orders USING INDEX orders_id (id=?)"),
    ]);
  });

  it("a buyer's orders are found among that buyer's, not among all of the tenant", async () => {
    const query = { tenantId, userId: "u", ...page, nowMs: 1 };
    const [listed] = await explainCall((db) => orders.listOrderRows(db, query));
    expect(listed?.plan).toEqual([expect.stringContaining("SEARCH orders USING INDEX orders_by_user (user_id=?")]);
  });

  it("an order's tickets are found by how their ids begin, and its mint jobs by theirs", async () => {
    const [listed] = await explainCall((db) => tickets.listTicketRowsOfOrder(db, tenantId, "o"));
    expect(listed?.plan[0]).toBe("SEARCH tickets USING PRIMARY KEY (id>? AND id<?)");
    const [requeued] = await explainCall(async (db) => MINT_LIST_QUERIES["requeueMintJobs of an order"]?.(db));
    expect(requeued?.plan[0]).toBe("SEARCH mint_jobs USING PRIMARY KEY (ticket_id=?)");
  });

  it("all that a tenant, a tree or a ticket type has is read only where it is meant, and else page by page", async () => {
    const isWide = async (call: Call): Promise<boolean> =>
      (await explainCall(call)).some(({ statement, plan }) => plan.some((step) => readsAllOfAnOwner(step, statement)));
    const readers: string[] = [];
    for (const [name, call] of Object.entries(CALLS)) if (await isWide(call)) readers.push(name);
    const others = readers.filter((name) => !/, (first|next) page$|of a tenant$/.test(name));
    expect(others.toSorted()).toEqual(["listBarredUsers", "readReservationFigures", "resetFollowedTree"]);
  });

  it("a statement without an index would be found out", async () => {
    const scans = await listScans("SELECT id FROM orders WHERE wallet_address = ?");
    expect(scans).toEqual(["SCAN orders"]);
  });
});

describe("a page is read in its index's order, not sorted each time:", () => {
  const pages = Object.entries(CALLS).filter(([name]) => /, (first|next) page$|ByStatus$/.test(name));

  it.each(pages)("%s", async (_, call) => {
    for (const { statement, plan } of await explainCall(call)) {
      expect(
        plan.filter((step) => /TEMP B-TREE FOR .*ORDER BY/.test(step)),
        statement,
      ).toEqual([]);
    }
  });
});

/** How a plan names the way to a cursor, by what the statement sorts by last, such as `AND (created_at_ms,id)<(?,?))`. */
function seekOf(statement: string): string {
  const [, order = ""] = /ORDER BY (.+) LIMIT/i.exec(statement) ?? [];
  const columns = [...order.matchAll(/(\w+)"?(?: asc| desc)?(?:,|$)/gi)].slice(-2).map((match) => match[1]);
  return `AND (${columns.join(",")})${/ desc$/i.test(order) ? "<" : ">"}(?,?))`;
}

describe("the next page is sought where the last one ended, not read from the list's start:", () => {
  const pages = Object.entries(CALLS).filter(([name]) => /^list.*, next page$/.test(name));

  it.each(pages)("%s", async (_, call) => {
    for (const { statement, plan } of await explainCall(call)) {
      expect(plan, statement).toContainEqual(expect.stringContaining(seekOf(statement)));
    }
  });
});

it("each function of src/storage that sends a statement stands in this test", () => {
  const modules = import.meta.glob(
    ["../../src/storage/*.ts", "!**/{schema,d1-errors,json-chunks,mint-statements,page-start}.ts"],
    {
      eager: true,
    },
  ) as Record<string, Record<string, unknown>>;
  const functions = Object.values(modules).flatMap((module) =>
    Object.entries(module).flatMap(([name, member]) => (typeof member === "function" ? [name] : [])),
  );
  const known = new Set(Object.keys(CALLS).map((name) => name.split(/[ ,]/)[0]));
  expect(functions.length).toBeGreaterThan(20);
  expect(functions.filter((name) => !known.has(name))).toEqual([]);
});
