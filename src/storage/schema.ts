/**
 * The D1 schema. Money is INTEGER minor units, times are Unix milliseconds, ids are lower-case UUIDs, and every table of a
 * tenant carries `tenant_id`. Statuses are held to the contract's words by CHECK constraints built from `#domain/statuses`.
 *
 * `reservations`, `reservation_history`, `orders` and what hangs from them, `idempotency_keys`, `webhook_nonces` and
 * `ticket_validations` are projections of Durable Objects (docs/architecture.md): each row carries the `seq` of its source, so
 * a flush that comes twice or late changes nothing.
 *
 * An index exists for each query and none without one: `tests/workerd/query-plans.test.ts` names them.
 */
import { sql, type SQL } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
  type AnySQLiteColumn,
} from "drizzle-orm/sqlite-core";
import { DISCOUNT_TYPES } from "#domain/discount";
import {
  ASSET_BURN_STATUSES,
  ASSET_MOVE_STATUSES,
  ATTEMPT_ERRORS,
  MINT_STATUSES,
  ORDER_STATUS_RANK,
  ORDER_STATUSES,
  PAYMENT_EVENT_OUTCOMES,
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  RESERVATION_STATUSES,
  TICKET_STATUSES,
  TICKET_TYPE_STATUSES,
  TRANSFER_CAUSES,
  TRANSFER_STATUSES,
  TREE_STATUSES,
  WEBHOOK_DELIVERY_STATUSES,
  WEBHOOK_ENDPOINT_STATUSES,
} from "#domain/statuses";

function isOneOf(column: AnySQLiteColumn, values: readonly string[]): SQL {
  return sql`${column} IN (${sql.raw(values.map((value) => `'${value}'`).join(", "))})`;
}

function orderRank(): SQL {
  const whens = ORDER_STATUSES.map((status) => `WHEN '${status}' THEN ${ORDER_STATUS_RANK[status]}`).join(" ");
  return sql.raw(`(CASE "status" ${whens} END)`);
}

/** A show, match or concert. Its gate, its tickets' collection on chain and its currency belong to it. */
export const events = sqliteTable(
  "events",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    name: text("name").notNull(),
    venueName: text("venue_name"),
    startsAtMs: integer("starts_at_ms").notNull(),
    endsAtMs: integer("ends_at_ms").notNull(),
    timezone: text("timezone").notNull(),
    currency: text("currency").notNull(),
    /** Address of the event's NFT collection on Solana; null until its first ticket is minted. */
    collectionAddress: text("collection_address"),
    /** The same for tickets of types that are not transferable: this collection is frozen as a whole. */
    frozenCollectionAddress: text("frozen_collection_address"),
    createdAtMs: integer("created_at_ms").notNull(),
    updatedAtMs: integer("updated_at_ms").notNull(),
  },
  (t) => [
    check("events_end_after_start", sql`${t.endsAtMs} > ${t.startsAtMs}`),
    check("events_currency_is_iso_4217", sql`length(${t.currency}) = 3`),
    // Whose a collection is.
    index("events_by_collection")
      .on(t.collectionAddress)
      .where(sql`${t.collectionAddress} IS NOT NULL`),
    index("events_by_frozen_collection")
      .on(t.frozenCollectionAddress)
      .where(sql`${t.frozenCollectionAddress} IS NOT NULL`),
  ],
);

/** A kind of ticket on sale. The counters are a projection of its inventory, ordered by `counters_seq`. */
export const ticketTypes = sqliteTable(
  "ticket_types",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    eventId: text("event_id")
      .notNull()
      .references(() => events.id),
    /** Small number within the event, carried by the credential in place of the UUID (docs/credential.md). */
    number: integer("number").notNull(),
    name: text("name").notNull(),
    description: text("description"),
    priceCents: integer("price_cents").notNull(),
    quantity: integer("quantity").notNull(),
    saleStartsAtMs: integer("sale_starts_at_ms"),
    saleEndsAtMs: integer("sale_ends_at_ms"),
    minPerOrder: integer("min_per_order").notNull(),
    maxPerOrder: integer("max_per_order").notNull(),
    maxPerUser: integer("max_per_user"),
    reservationTtlSeconds: integer("reservation_ttl_seconds").notNull(),
    transferable: integer("transferable", { mode: "boolean" }).notNull(),
    feeCents: integer("fee_cents").notNull(),
    taxRateBps: integer("tax_rate_bps").notNull(),
    status: text("status", { enum: TICKET_TYPE_STATUSES }).notNull(),
    heldCount: integer("held_count").notNull().default(0),
    soldCount: integer("sold_count").notNull().default(0),
    countersSeq: integer("counters_seq").notNull().default(0),
    createdAtMs: integer("created_at_ms").notNull(),
    updatedAtMs: integer("updated_at_ms").notNull(),
  },
  (t) => [
    uniqueIndex("ticket_types_event_number").on(t.eventId, t.number),
    uniqueIndex("ticket_types_by_tenant").on(t.tenantId, t.id),
    check("ticket_types_status", isOneOf(t.status, TICKET_TYPE_STATUSES)),
    check("ticket_types_never_oversold", sql`${t.heldCount} >= 0 AND ${t.soldCount} >= 0 AND ${t.soldCount} <= ${t.quantity}`),
    check("ticket_types_money", sql`${t.priceCents} >= 0 AND ${t.feeCents} >= 0 AND ${t.taxRateBps} BETWEEN 0 AND 10000`),
    check("ticket_types_per_order", sql`${t.minPerOrder} >= 1 AND ${t.maxPerOrder} >= ${t.minPerOrder}`),
    check("ticket_types_ttl", sql`${t.reservationTtlSeconds} BETWEEN 5 AND 3600`),
  ],
);

/**
 * Stock held for a buyer, a row per ticket type. Projection of `TicketTypeInventory`; `order_id` is set once an order uses it. What
 * was held together is kept together, for it is paid or expires together (docs/adr/0024).
 */
export const reservations = sqliteTable(
  "reservations",
  {
    id: text("id").notNull(),
    ticketTypeId: text("ticket_type_id")
      .notNull()
      .references(() => ticketTypes.id),
    tenantId: text("tenant_id").notNull(),
    eventId: text("event_id")
      .notNull()
      .references(() => events.id),
    userId: text("user_id").notNull(),
    quantity: integer("quantity").notNull(),
    status: text("status", { enum: RESERVATION_STATUSES }).notNull(),
    /** No foreign key: the order is projected by another Durable Object and may arrive later. */
    orderId: text("order_id"),
    expiresAtMs: integer("expires_at_ms").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    seq: integer("seq").notNull(),
    /** Of a sale, how many tickets went back on sale. */
    restockedQuantity: integer("restocked_quantity").notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.ticketTypeId, t.createdAtMs, t.id] }),
    index("reservations_open")
      .on(t.expiresAtMs)
      .where(sql`${t.status} = 'ACTIVE'`),
    check("reservations_status", isOneOf(t.status, RESERVATION_STATUSES)),
    check("reservations_quantity", sql`${t.quantity} >= 1`),
  ],
);

/** Every change of a reservation, in the order its inventory made them (`seq` has no gap within a ticket type). */
export const reservationHistory = sqliteTable(
  "reservation_history",
  {
    ticketTypeId: text("ticket_type_id")
      .notNull()
      .references(() => ticketTypes.id),
    seq: integer("seq").notNull(),
    tenantId: text("tenant_id").notNull(),
    reservationId: text("reservation_id").notNull(),
    status: text("status", { enum: RESERVATION_STATUSES }).notNull(),
    quantity: integer("quantity").notNull(),
    actor: text("actor").notNull(),
    cause: text("cause").notNull(),
    atMs: integer("at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.ticketTypeId, t.seq] }),
    check("reservation_history_status", isOneOf(t.status, RESERVATION_STATUSES)),
  ],
);

/**
 * An order. Projection of `OrderDesk`; `status` moves only up in rank, so desk and mint consumer commute. Kept by time: the order of
 * the tenant's list, and what was ordered together is paid together.
 */
export const orders = sqliteTable(
  "orders",
  {
    id: text("id").notNull(),
    tenantId: text("tenant_id").notNull(),
    orderNumber: text("order_number").notNull(),
    userId: text("user_id").notNull(),
    eventId: text("event_id")
      .notNull()
      .references(() => events.id),
    status: text("status", { enum: ORDER_STATUSES }).notNull(),
    statusRank: integer("status_rank").generatedAlwaysAs(orderRank, { mode: "virtual" }),
    currency: text("currency").notNull(),
    subtotalCents: integer("subtotal_cents").notNull(),
    discountCents: integer("discount_cents").notNull(),
    feeCents: integer("fee_cents").notNull(),
    /** Contained in the prices and fees, not added to them. */
    taxCents: integer("tax_cents").notNull(),
    totalCents: integer("total_cents").notNull(),
    /** What went back, or is on its way, of the payment that bought the tickets: its refunds that have not failed. */
    refundedCents: integer("refunded_cents").notNull().default(0),
    /** When the last of its lines is stored, a trigger (`order_is_sum_of_lines`) refuses lines that do not sum to the order. */
    lineCount: integer("line_count").notNull().default(0),
    reservationId: text("reservation_id").notNull(),
    holdExpiresAtMs: integer("hold_expires_at_ms").notNull(),
    walletAddress: text("wallet_address"),
    createdAtMs: integer("created_at_ms").notNull(),
    paidAtMs: integer("paid_at_ms"),
    seq: integer("seq").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.createdAtMs, t.id] }),
    uniqueIndex("orders_id").on(t.id),
    uniqueIndex("orders_number").on(t.tenantId, t.orderNumber),
    index("orders_by_user").on(t.userId, t.createdAtMs, t.id),
    index("orders_unpaid")
      .on(t.holdExpiresAtMs)
      .where(sql`${t.status} IN ('PENDING', 'PAYMENT_FAILED')`),
    check("orders_status", isOneOf(t.status, ORDER_STATUSES)),
    check("orders_total_is_sum", sql`${t.totalCents} = ${t.subtotalCents} - ${t.discountCents} + ${t.feeCents}`),
    check(
      "orders_money_not_negative",
      sql`${t.totalCents} >= 0 AND ${t.discountCents} >= 0 AND ${t.feeCents} >= 0 AND ${t.taxCents} >= 0`,
    ),
  ],
);

/** A line of an order. */
export const orderItems = sqliteTable(
  "order_items",
  {
    orderId: text("order_id")
      .notNull()
      .references(() => orders.id),
    lineNumber: integer("line_number").notNull(),
    tenantId: text("tenant_id").notNull(),
    ticketTypeId: text("ticket_type_id")
      .notNull()
      .references(() => ticketTypes.id),
    name: text("name").notNull(),
    quantity: integer("quantity").notNull(),
    unitPriceCents: integer("unit_price_cents").notNull(),
    discountCents: integer("discount_cents").notNull(),
    feeCents: integer("fee_cents").notNull(),
    taxCents: integer("tax_cents").notNull(),
    totalCents: integer("total_cents").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.orderId, t.lineNumber] }),
    check("order_items_quantity", sql`${t.quantity} >= 1`),
    check(
      "order_items_total_is_sum",
      sql`${t.totalCents} = ${t.unitPriceCents} * ${t.quantity} - ${t.discountCents} + ${t.feeCents}`,
    ),
  ],
);

/** A ticket somebody owns. Its id begins as its order's, whose tickets are found by that: see `isTicketOfOrder`. */
export const tickets = sqliteTable(
  "tickets",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    eventId: text("event_id")
      .notNull()
      .references(() => events.id),
    ticketTypeId: text("ticket_type_id")
      .notNull()
      .references(() => ticketTypes.id),
    orderId: text("order_id")
      .notNull()
      .references(() => orders.id),
    ownerUserId: text("owner_user_id").notNull(),
    status: text("status", { enum: TICKET_STATUSES }).notNull(),
    /** Raised whenever the credential changes hands or dies; the gate refuses older ones. */
    credentialEpoch: integer("credential_epoch").notNull(),
    admittedAtMs: integer("admitted_at_ms"),
    walletAddress: text("wallet_address"),
    /** The wallet that its asset was moved to outside the service; nobody can show the ticket until who holds that wallet claims it. */
    heldByAddress: text("held_by_address"),
    /** When the old credential was dead because of that; null while it may not be yet. */
    heldSinceMs: integer("held_since_ms"),
    createdAtMs: integer("created_at_ms").notNull(),
  },
  (t) => [
    index("tickets_by_owner").on(t.tenantId, t.ownerUserId, t.createdAtMs, t.id),
    check("tickets_status", isOneOf(t.status, TICKET_STATUSES)),
    check("tickets_epoch", sql`${t.credentialEpoch} BETWEEN 0 AND 65535`),
  ],
);

/**
 * The ownership chain of a ticket: one row per offer. `to_email` never holds an address, only its fingerprint while the offer is
 * open, and nothing ('') after it (docs/adr/0011).
 */
export const ticketTransfers = sqliteTable(
  "ticket_transfers",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    ticketId: text("ticket_id")
      .notNull()
      .references(() => tickets.id),
    fromUserId: text("from_user_id").notNull(),
    toUserId: text("to_user_id"),
    emailFingerprint: text("to_email"),
    status: text("status", { enum: TRANSFER_STATUSES }).notNull(),
    /** Who is accepting: the offer is theirs, and what is left of the hand-over is done by whoever comes first. */
    claimedByUserId: text("claimed_by_user_id"),
    /** When they began, or when the rest was last tried in vain. */
    claimedAtMs: integer("claimed_at_ms"),
    /** The Solana wallet that the accepting user named; null leaves the asset with the service. */
    walletAddress: text("wallet_address"),
    /** Why an offer ended that neither of its parties ended. */
    cause: text("cause", { enum: TRANSFER_CAUSES }),
    expiresAtMs: integer("expires_at_ms").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    settledAtMs: integer("settled_at_ms"),
  },
  (t) => [
    uniqueIndex("ticket_transfers_one_open")
      .on(t.ticketId)
      .where(sql`${t.status} = 'PENDING'`),
    index("ticket_transfers_by_sender").on(t.tenantId, t.fromUserId, t.createdAtMs, t.id),
    index("ticket_transfers_by_recipient").on(t.tenantId, t.toUserId, t.createdAtMs, t.id),
    index("ticket_transfers_by_fingerprint")
      .on(t.tenantId, t.emailFingerprint, t.createdAtMs, t.id)
      .where(sql`${t.emailFingerprint} IS NOT NULL`),
    index("ticket_transfers_by_ticket").on(t.ticketId, t.createdAtMs, t.id),
    index("ticket_transfers_due")
      .on(t.expiresAtMs)
      .where(sql`${t.status} = 'PENDING' AND ${t.claimedAtMs} IS NULL`),
    index("ticket_transfers_claimed")
      .on(t.claimedAtMs)
      .where(sql`${t.status} = 'PENDING' AND ${t.claimedAtMs} IS NOT NULL`),
    check("ticket_transfers_status", isOneOf(t.status, TRANSFER_STATUSES)),
    check("ticket_transfers_one_recipient", sql`(${t.toUserId} IS NULL) <> (${t.emailFingerprint} IS NULL)`),
  ],
);

/** What the exactly-once work on an asset remembers: see `mint_jobs`, whose columns these are (docs/adr/0006). */
function assetWorkColumns() {
  return {
    signature: text("signature"),
    wireBase64: text("wire_base64"),
    lastValidBlockHeight: integer("last_valid_block_height"),
    attempts: integer("attempts").notNull().default(0),
    lastError: text("last_error"),
    /** Number of the change in the asset's tree that the work made; whoever works on the asset next must have seen it. */
    treeSeq: integer("tree_seq"),
    queuedAtMs: integer("queued_at_ms").notNull(),
    updatedAtMs: integer("updated_at_ms").notNull().default(0),
  };
}

/**
 * Assets that must follow a ticket to another wallet on chain, written in the transaction that changed the ticket's wallet. Null
 * addresses are the custody of the service's wallet.
 */
export const assetMoves = sqliteTable(
  "asset_moves",
  {
    /** Of the transfer, or of the claim of a wallet (`wallet_claims`), that asks for it. */
    transferId: text("transfer_id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    ticketId: text("ticket_id")
      .notNull()
      .references(() => tickets.id),
    fromAddress: text("from_address"),
    toAddress: text("to_address"),
    status: text("status", { enum: ASSET_MOVE_STATUSES }).notNull(),
    ...assetWorkColumns(),
  },
  (t) => [
    index("asset_moves_by_status").on(t.tenantId, t.status, t.queuedAtMs, t.transferId),
    index("asset_moves_by_ticket").on(t.ticketId, t.queuedAtMs, t.transferId),
    index("asset_moves_at_work")
      .on(t.updatedAtMs)
      .where(sql`${t.status} IN ('QUEUED', 'SUBMITTED')`),
    check("asset_moves_status", isOneOf(t.status, ASSET_MOVE_STATUSES)),
  ],
);

/**
 * Challenges to prove a wallet by a signature, so that a ticket's asset goes there (docs/adr/0020). Each is good for one claim; the
 * cron forgets those that have expired.
 */
export const walletClaims = sqliteTable(
  "wallet_claims",
  {
    /** The nonce of the message is this id without its dashes. */
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    ticketId: text("ticket_id")
      .notNull()
      .references(() => tickets.id),
    userId: text("user_id").notNull(),
    walletAddress: text("wallet_address").notNull(),
    issuedAtMs: integer("issued_at_ms").notNull(),
    expiresAtMs: integer("expires_at_ms").notNull(),
    /** When it was answered; null while it is open. */
    claimedAtMs: integer("claimed_at_ms"),
  },
  (t) => [
    uniqueIndex("wallet_claims_one_open")
      .on(t.ticketId, t.userId)
      .where(sql`${t.claimedAtMs} IS NULL`),
    index("wallet_claims_by_expiry").on(t.expiresAtMs),
  ],
);

/** Assets that must be burnt on chain because their ticket is cancelled; written with the row that says so. */
export const assetBurns = sqliteTable(
  "asset_burns",
  {
    ticketId: text("ticket_id")
      .primaryKey()
      .references(() => tickets.id),
    tenantId: text("tenant_id").notNull(),
    status: text("status", { enum: ASSET_BURN_STATUSES }).notNull(),
    ...assetWorkColumns(),
  },
  (t) => [
    index("asset_burns_by_status").on(t.tenantId, t.status, t.queuedAtMs, t.ticketId),
    index("asset_burns_at_work")
      .on(t.updatedAtMs)
      .where(sql`${t.status} IN ('QUEUED', 'SUBMITTED')`),
    check("asset_burns_status", isOneOf(t.status, ASSET_BURN_STATUSES)),
    check("asset_burns_submitted_is_signed", sql`${t.status} <> 'SUBMITTED' OR ${t.signature} IS NOT NULL`),
  ],
);

/**
 * Merkle trees that are followed on chain. `seq` numbers the last change whose leaves and nodes are in `tree_leaves` and
 * `tree_nodes`, `slot` is where it happened. Of the chain, so of no tenant.
 */
export const merkleTrees = sqliteTable(
  "merkle_trees",
  {
    address: text("address").primaryKey(),
    depth: integer("depth").notNull(),
    /** Changes that the tree's account remembers: a proof is good for so many changes. */
    bufferSize: integer("buffer_size").notNull(),
    /** Levels under the root that the account keeps, and that a proof on chain therefore leaves out. */
    canopyDepth: integer("canopy_depth").notNull(),
    seq: integer("seq").notNull(),
    /** That of the last stored change. */
    slot: integer("slot").notNull(),
    /** The last of many transactions since then that name the tree and change nothing; null when none are to be passed over. */
    passedSignature: text("passed_signature"),
    updatedAtMs: integer("updated_at_ms").notNull(),
  },
  (t) => [check("merkle_trees_depth", sql`${t.depth} BETWEEN 1 AND 30`), check("merkle_trees_seq", sql`${t.seq} >= 0`)],
);

/** Nodes of a followed tree that are not empty. */
export const treeNodes = sqliteTable(
  "tree_nodes",
  {
    treeAddress: text("tree_address")
      .notNull()
      .references(() => merkleTrees.address),
    /** Counted from the root (1) down, left to right, as the chain's change log does. */
    place: integer("place").notNull(),
    /** 32 bytes as hex. */
    hash: text("hash").notNull(),
  },
  (t) => [primaryKey({ columns: [t.treeAddress, t.place] })],
);

/** Leaves of a followed tree as its last change to each left them; a burnt one keeps what it was. Hashes are 32 bytes as hex. */
export const treeLeaves = sqliteTable(
  "tree_leaves",
  {
    treeAddress: text("tree_address")
      .notNull()
      .references(() => merkleTrees.address),
    leafIndex: integer("leaf_index").notNull(),
    assetId: text("asset_id").notNull(),
    ownerAddress: text("owner_address").notNull(),
    delegateAddress: text("delegate_address").notNull(),
    dataHash: text("data_hash").notNull(),
    creatorHash: text("creator_hash").notNull(),
    collectionHash: text("collection_hash").notNull(),
    assetDataHash: text("asset_data_hash").notNull(),
    flags: integer("flags").notNull(),
    isBurnt: integer("is_burnt", { mode: "boolean" }).notNull(),
    /** Number of the last change to this leaf, and the transaction that made it. */
    seq: integer("seq").notNull(),
    signature: text("signature").notNull(),
    /** When that change is to be compared with the ticket next; null once it was. */
    newsAtMs: integer("news_at_ms").default(0),
  },
  (t) => [
    primaryKey({ columns: [t.treeAddress, t.leafIndex] }),
    uniqueIndex("tree_leaves_by_asset").on(t.assetId),
    index("tree_leaves_news")
      .on(t.newsAtMs)
      .where(sql`${t.newsAtMs} IS NOT NULL`),
  ],
);

/** Every answered scan. Projection of `EventGate`. */
export const ticketValidations = sqliteTable(
  "ticket_validations",
  {
    eventId: text("event_id")
      .notNull()
      .references(() => events.id),
    seq: integer("seq").notNull(),
    tenantId: text("tenant_id").notNull(),
    /** Null when the code was not one of ours. */
    ticketId: text("ticket_id").references(() => tickets.id),
    listId: text("list_id"),
    type: text("type", { enum: ["entry", "exit"] }).notNull(),
    result: text("result", { enum: ["admitted", "refused"] }).notNull(),
    reason: text("reason"),
    scannedBy: text("scanned_by").notNull(),
    nonce: text("nonce"),
    forced: integer("forced", { mode: "boolean" }).notNull(),
    scannedAtMs: integer("scanned_at_ms").notNull(),
    receivedAtMs: integer("received_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.seq] }),
    check("ticket_validations_type", isOneOf(t.type, ["entry", "exit"])),
    check("ticket_validations_result", isOneOf(t.result, ["admitted", "refused"])),
  ],
);

/** One row per credential issued to a holder's device (not one per rotation of the code shown). */
export const qrCodes = sqliteTable(
  "qr_codes",
  {
    ticketId: text("ticket_id")
      .notNull()
      .references(() => tickets.id),
    userId: text("user_id").notNull(),
    credentialEpoch: integer("credential_epoch").notNull(),
    tenantId: text("tenant_id").notNull(),
    firstIssuedAtMs: integer("first_issued_at_ms").notNull(),
  },
  (t) => [primaryKey({ columns: [t.ticketId, t.userId, t.credentialEpoch] })],
);

/**
 * A discount code of a tenant, found whatever the case it is written in; an archived one leaves its code to others. `rule` is
 * the JSON of all its terms but for the columns here.
 *
 * The counters are projections of the inventories of its caps, each ordered by its own `…_seq`: uses held and taken, and the
 * tickets of an early bird's first ones.
 */
export const discounts = sqliteTable(
  "discounts",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    code: text("code").notNull(),
    type: text("type", { enum: DISCOUNT_TYPES }).notNull(),
    rule: text("rule").notNull(),
    validFromMs: integer("valid_from_ms"),
    validUntilMs: integer("valid_until_ms"),
    maxUses: integer("max_uses"),
    stackable: integer("stackable", { mode: "boolean" }).notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    archivedAtMs: integer("archived_at_ms"),
    updatedAtMs: integer("updated_at_ms").notNull().default(0),
    heldCount: integer("held_count").notNull().default(0),
    usedCount: integer("used_count").notNull().default(0),
    usesSeq: integer("uses_seq").notNull().default(0),
    firstHeldCount: integer("first_held_count").notNull().default(0),
    firstUsedCount: integer("first_used_count").notNull().default(0),
    firstSeq: integer("first_seq").notNull().default(0),
  },
  (t) => [
    uniqueIndex("discounts_code")
      .on(t.tenantId, sql`upper("code")`)
      .where(sql`${t.archivedAtMs} IS NULL`),
    index("discounts_by_tenant")
      .on(t.tenantId, t.createdAtMs, t.id)
      .where(sql`${t.archivedAtMs} IS NULL`),
    check("discounts_type", isOneOf(t.type, DISCOUNT_TYPES)),
    check(
      "discounts_window",
      sql`${t.validFromMs} IS NULL OR ${t.validUntilMs} IS NULL OR ${t.validUntilMs} > ${t.validFromMs}`,
    ),
    check("discounts_rule_is_json", sql`json_valid(${t.rule})`),
  ],
);

/** Which discount took how much off which line of an order. */
export const orderDiscounts = sqliteTable(
  "order_discounts",
  {
    orderId: text("order_id").notNull(),
    lineNumber: integer("line_number").notNull(),
    discountId: text("discount_id")
      .notNull()
      .references(() => discounts.id),
    tenantId: text("tenant_id").notNull(),
    amountCents: integer("amount_cents").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.orderId, t.lineNumber, t.discountId] }),
    foreignKey({ columns: [t.orderId, t.lineNumber], foreignColumns: [orderItems.orderId, orderItems.lineNumber] }),
    check("order_discounts_amount", sql`${t.amountCents} >= 0`),
  ],
);

/** A payment asked of a provider. Money taken is the provider's truth; this follows it. */
export const payments = sqliteTable(
  "payments",
  {
    provider: text("provider").notNull(),
    paymentId: text("payment_id").notNull(),
    tenantId: text("tenant_id").notNull(),
    orderId: text("order_id")
      .notNull()
      .references(() => orders.id),
    status: text("status", { enum: PAYMENT_STATUSES }).notNull(),
    amountCents: integer("amount_cents").notNull(),
    currency: text("currency").notNull(),
    /** When its order was made: who has the order finds its payments by this. */
    createdAtMs: integer("created_at_ms").notNull(),
    updatedAtMs: integer("updated_at_ms").notNull(),
    seq: integer("seq").notNull(),
    /** How often the cron has asked the provider, and when it asks next: only of a payment that its order outlived unpaid. */
    checks: integer("checks").notNull().default(0),
    nextCheckAtMs: integer("next_check_at_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.createdAtMs, t.orderId, t.provider, t.paymentId] }),
    index("payments_to_check")
      .on(t.nextCheckAtMs)
      .where(sql`${t.nextCheckAtMs} IS NOT NULL`),
    check("payments_status", isOneOf(t.status, PAYMENT_STATUSES)),
    check("payments_amount", sql`${t.amountCents} >= 0`),
  ],
);

/**
 * Each provider event once, with what became of it; `seq` and `attempts` grow when it is decided again. `order_id` is null for an
 * event that belongs to no order, or that the service ignores.
 */
export const paymentEvents = sqliteTable(
  "payment_events",
  {
    provider: text("provider").notNull(),
    eventId: text("event_id").notNull(),
    tenantId: text("tenant_id"),
    orderId: text("order_id").references(() => orders.id),
    type: text("type").notNull(),
    /** The provider's own word for the type; null for an event from before it was kept. */
    rawType: text("raw_type"),
    /** Why, in the provider's words: a payment declined, a refund that came back. */
    reason: text("reason"),
    outcome: text("outcome", { enum: PAYMENT_EVENT_OUTCOMES }).notNull(),
    attempts: integer("attempts").notNull(),
    occurredAtMs: integer("occurred_at_ms").notNull(),
    receivedAtMs: integer("received_at_ms").notNull(),
    seq: integer("seq").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.eventId] }),
    check("payment_events_outcome", isOneOf(t.outcome, PAYMENT_EVENT_OUTCOMES)),
  ],
);

/** How far the cron has read a provider's list of undelivered events, while one run is not enough for all of it. */
export const undeliveredCursors = sqliteTable("undelivered_cursors", {
  provider: text("provider").primaryKey(),
  sinceMs: integer("since_ms").notNull(),
});

/**
 * Money on its way back, asked of a provider or made there by itself. The id is derived, so it is asked for once however often the
 * step runs.
 */
export const refunds = sqliteTable(
  "refunds",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    orderId: text("order_id")
      .notNull()
      .references(() => orders.id),
    provider: text("provider").notNull(),
    paymentId: text("payment_id").notNull(),
    providerRefundId: text("provider_refund_id"),
    status: text("status", { enum: REFUND_STATUSES }).notNull(),
    amountCents: integer("amount_cents").notNull(),
    currency: text("currency").notNull(),
    reason: text("reason").notNull(),
    /** Why, in the words of who asked for it. */
    note: text("note"),
    /** JSON array of the tickets that it pays back; empty for money that bought none. Written and read whole. */
    ticketIds: text("ticket_ids", { mode: "json" }).$type<readonly string[]>().notNull().default([]),
    /** Who paid it back by hand; null unless somebody did. */
    settledBy: text("settled_by"),
    /** How often its provider was asked about it, and when that is due next as long as it is submitted. */
    checks: integer("checks").notNull().default(0),
    nextCheckAtMs: integer("next_check_at_ms").notNull().default(0),
    createdAtMs: integer("created_at_ms").notNull(),
    seq: integer("seq").notNull(),
  },
  (t) => [
    index("refunds_by_order").on(t.orderId),
    index("refunds_to_check")
      .on(t.nextCheckAtMs)
      .where(sql`${t.status} = 'submitted'`),
    index("refunds_not_asked_for")
      .on(t.createdAtMs)
      .where(sql`${t.status} = 'created'`),
    check("refunds_status", isOneOf(t.status, REFUND_STATUSES)),
    check("refunds_amount", sql`${t.amountCents} > 0`),
  ],
);

/** What the service knows of a ticket's mint; the chain alone knows what is minted (docs/adr/0006). */
export const mintJobs = sqliteTable(
  "mint_jobs",
  {
    ticketId: text("ticket_id")
      .primaryKey()
      .references(() => tickets.id),
    tenantId: text("tenant_id").notNull(),
    eventId: text("event_id")
      .notNull()
      .references(() => events.id),
    status: text("status", { enum: MINT_STATUSES }).notNull(),
    signature: text("signature"),
    wireBase64: text("wire_base64"),
    lastValidBlockHeight: integer("last_valid_block_height"),
    /** Tree and collection that the stored transaction mints into; null in jobs that were signed before these were kept. */
    treeAddress: text("tree_address"),
    collectionAddress: text("collection_address"),
    assetId: text("asset_id"),
    leafIndex: integer("leaf_index"),
    attempts: integer("attempts").notNull().default(0),
    lastError: text("last_error"),
    queuedAtMs: integer("queued_at_ms").notNull(),
    mintedAtMs: integer("minted_at_ms"),
    updatedAtMs: integer("updated_at_ms").notNull(),
  },
  (t) => [
    index("mint_jobs_by_asset")
      .on(t.assetId)
      .where(sql`${t.assetId} IS NOT NULL`),
    index("mint_jobs_by_status").on(t.tenantId, t.status, t.queuedAtMs, t.ticketId),
    index("mint_jobs_at_work")
      .on(t.updatedAtMs)
      .where(sql`${t.status} IN ('QUEUED', 'SUBMITTED')`),
    check("mint_jobs_status", isOneOf(t.status, MINT_STATUSES)),
    check(
      "mint_jobs_minted_has_asset",
      sql`${t.status} <> 'MINTED' OR (${t.assetId} IS NOT NULL AND ${t.signature} IS NOT NULL)`,
    ),
  ],
);

/**
 * Merkle trees that a tenant's tickets are minted into, used in the order of their numbers. A tenant that has none mints into the
 * tree that the service is configured with.
 */
export const tenantTrees = sqliteTable(
  "tenant_trees",
  {
    address: text("address").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    /** 1 for the tenant's first. The address of a tree that the service makes itself derives from it. */
    number: integer("number").notNull(),
    depth: integer("depth").notNull(),
    bufferSize: integer("buffer_size").notNull(),
    canopyDepth: integer("canopy_depth").notNull(),
    /** Leaves that it has room for. */
    capacity: integer("capacity").notNull(),
    /** Leaves known to be taken; the chain may be ahead. */
    mintedCount: integer("minted_count").notNull().default(0),
    status: text("status", { enum: TREE_STATUSES }).notNull(),
    /** Derived from the request that asked for it and when it first did (see `idempotency_keys`); null when the service did so itself. */
    requestId: text("request_id"),
    lastError: text("last_error"),
    createdAtMs: integer("created_at_ms").notNull(),
    updatedAtMs: integer("updated_at_ms").notNull(),
    /** Its address lookup table, which lets more mints share a transaction; null when it has none. */
    lookupTableAddress: text("lookup_table_address"),
  },
  (t) => [
    uniqueIndex("tenant_trees_number").on(t.tenantId, t.number),
    uniqueIndex("tenant_trees_request")
      .on(t.requestId)
      .where(sql`${t.requestId} IS NOT NULL`),
    uniqueIndex("tenant_trees_one_active")
      .on(t.tenantId)
      .where(sql`${t.status} = 'ACTIVE'`),
    index("tenant_trees_opening")
      .on(t.updatedAtMs)
      .where(sql`${t.status} = 'OPENING'`),
    index("tenant_trees_filling")
      .on(t.tenantId)
      .where(sql`${t.status} = 'ACTIVE' AND ${t.mintedCount} * 5 >= ${t.capacity} * 4`),
    check("tenant_trees_status", isOneOf(t.status, TREE_STATUSES)),
    check("tenant_trees_capacity", sql`${t.depth} BETWEEN 1 AND 30 AND ${t.capacity} = 1 << ${t.depth}`),
    check("tenant_trees_minted", sql`${t.mintedCount} BETWEEN 0 AND ${t.capacity}`),
    check("tenant_trees_number_is_positive", sql`${t.number} >= 1`),
  ],
);

/** Users of a tenant who may neither buy nor receive. */
export const userBlacklists = sqliteTable(
  "user_blacklists",
  {
    tenantId: text("tenant_id").notNull(),
    userId: text("user_id").notNull(),
    reason: text("reason").notNull(),
    createdBy: text("created_by").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    expiresAtMs: integer("expires_at_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.userId] }),
    index("user_blacklists_by_time").on(t.tenantId, t.createdAtMs, t.userId),
  ],
);

/**
 * Idempotency keys seen in the last 24 h. Projection of `OrderDesk`, which answers replays itself; those of requests to D1 itself are
 * claims, and of these alone the id is unique and looked up.
 */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** Derived from tenant, user, route and key; also the id of what the request made. */
    id: text("id").notNull(),
    tenantId: text("tenant_id").notNull(),
    userId: text("user_id").notNull(),
    route: text("route").notNull(),
    bodyHash: text("body_hash").notNull(),
    /** JSON of the refusal that a request to D1 itself got, so that its repeat gets it too; null for one that was not refused. */
    refusal: text("refusal"),
    createdAtMs: integer("created_at_ms").notNull(),
    isClaim: integer("is_claim", { mode: "boolean" }).notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.createdAtMs, t.id] }),
    uniqueIndex("idempotency_keys_claimed")
      .on(t.id)
      .where(sql`${t.isClaim} = 1`),
  ],
);

/** Webhook ids acted upon, for the audit trail. Projection of `OrderDesk`, which refuses the replays itself. */
export const webhookNonces = sqliteTable(
  "webhook_nonces",
  {
    provider: text("provider").notNull(),
    webhookId: text("webhook_id").notNull(),
    receivedAtMs: integer("received_at_ms").notNull(),
  },
  (t) => [primaryKey({ columns: [t.receivedAtMs, t.provider, t.webhookId] })],
);

/** Outgoing events, each written in the transaction of its change and taken out in the one that writes its deliveries (docs/adr/0018). */
export const outbox = sqliteTable(
  "outbox",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    tenantId: text("tenant_id").notNull(),
    topic: text("topic").notNull(),
    body: text("body").notNull(),
    attempts: integer("attempts").notNull().default(0),
    createdAtMs: integer("created_at_ms").notNull(),
    nextAttemptAtMs: integer("next_attempt_at_ms").notNull(),
  },
  (t) => [index("outbox_due").on(t.nextAttemptAtMs), check("outbox_body_is_json", sql`json_valid(${t.body})`)],
);

/**
 * Where a tenant wants its events sent, and how that endpoint does. Secrets are sealed (docs/adr/0018). `due_at_ms` is when it has
 * something to be sent next, null for never; nobody sends to it while it is leased or rests.
 */
export const webhookEndpoints = sqliteTable(
  "webhook_endpoints",
  {
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    url: text("url").notNull(),
    description: text("description"),
    /** JSON list of the event types wanted; an empty one wants all. */
    eventTypes: text("event_types", { mode: "json" }).notNull().$type<readonly string[]>(),
    sealedSecret: text("sealed_secret").notNull(),
    /** The secret before this one: it signs too, until `previous_until_ms`. */
    previousSealedSecret: text("previous_sealed_secret"),
    previousUntilMs: integer("previous_until_ms"),
    /** Id of the key that both secrets are sealed with. */
    sealedWith: integer("sealed_with").notNull(),
    status: text("status", { enum: WEBHOOK_ENDPOINT_STATUSES }).notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    /** When it was disabled or deleted. */
    endedAtMs: integer("ended_at_ms"),
    /** Since when no attempt has succeeded; null when the last one did, or none was made. */
    failingSinceMs: integer("failing_since_ms"),
    dueAtMs: integer("due_at_ms"),
    leasedUntilMs: integer("leased_until_ms").notNull().default(0),
    restsUntilMs: integer("rests_until_ms").notNull().default(0),
  },
  (t) => [
    index("webhook_endpoints_by_tenant").on(t.tenantId, t.createdAtMs, t.id),
    index("webhook_endpoints_due")
      .on(t.dueAtMs)
      .where(sql`${t.status} = 'ACTIVE' AND ${t.dueAtMs} IS NOT NULL`),
    index("webhook_endpoints_by_key").on(t.sealedWith),
    index("webhook_endpoints_deleted")
      .on(t.endedAtMs)
      .where(sql`${t.status} = 'DELETED'`),
    check("webhook_endpoints_status", isOneOf(t.status, WEBHOOK_ENDPOINT_STATUSES)),
    check("webhook_endpoints_event_types_are_json", sql`json_valid(${t.eventTypes})`),
  ],
);

/** One event on its way to one endpoint. `body` is what is sent, to the byte, at every attempt. */
export const webhookDeliveries = sqliteTable(
  "webhook_deliveries",
  {
    /** Derived from endpoint and event, so that no event is sent to an endpoint as two deliveries. */
    id: text("id").primaryKey(),
    tenantId: text("tenant_id").notNull(),
    endpointId: text("endpoint_id")
      .notNull()
      .references(() => webhookEndpoints.id),
    /** The `webhook-id`: the same at every attempt and for every endpoint. */
    eventId: text("event_id").notNull(),
    eventType: text("event_type").notNull(),
    body: text("body").notNull(),
    status: text("status", { enum: WEBHOOK_DELIVERY_STATUSES }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    /** Attempts in vain since it was made or last replayed. */
    failures: integer("failures").notNull().default(0),
    nextAttemptAtMs: integer("next_attempt_at_ms"),
    lastAttemptAtMs: integer("last_attempt_at_ms"),
    /** HTTP status of the last answer; null when there was none. */
    lastStatus: integer("last_status"),
    lastError: text("last_error", { enum: ATTEMPT_ERRORS }),
    createdAtMs: integer("created_at_ms").notNull(),
  },
  (t) => [
    index("webhook_deliveries_by_endpoint").on(t.endpointId, t.createdAtMs, t.id),
    index("webhook_deliveries_due")
      .on(t.endpointId, t.nextAttemptAtMs)
      .where(sql`${t.status} = 'PENDING'`),
    index("webhook_deliveries_by_age").on(t.createdAtMs),
    check("webhook_deliveries_status", isOneOf(t.status, WEBHOOK_DELIVERY_STATUSES)),
    check("webhook_deliveries_pending_has_time", sql`(${t.status} = 'PENDING') = (${t.nextAttemptAtMs} IS NOT NULL)`),
  ],
);

/** Blocks of order numbers leased to desks, per tenant, and the key of the permutation that shuffles them. */
export const orderNumberLeases = sqliteTable("order_number_leases", {
  tenantId: text("tenant_id").primaryKey(),
  nextBlock: integer("next_block").notNull(),
  /** 16 random bytes as hex, made with the first lease. It hides sales figures; it guards nothing. */
  shuffleKey: text("shuffle_key").notNull(),
});
