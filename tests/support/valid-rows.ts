/** One valid row of every D1 table, referring to each other, for tests of what the schema refuses. */

/** A row by column name. */
export type Row = Readonly<Record<string, string | number | null>>;

const AT_MS = 1_700_000_000_000;

/**
 * Fresh rows, parents before their children. Each call makes new ids and a new tenant, so rows of two calls never collide.
 * A table added to the schema needs its row here; the migration tests fail until it has one.
 */
export function makeValidRows(): readonly (readonly [table: string, row: Row])[] {
  const newId = (): string => crypto.randomUUID();
  const tenant = { tenant_id: newId() };
  const [eventId, typeId, orderId, ticketId, userId, discountId] = [newId(), newId(), newId(), newId(), newId(), newId()];
  const [transferId, treeAddress, endpointId] = [newId(), newId(), newId()];
  const ofEvent = { ...tenant, event_id: eventId };
  const provider = "standard";
  return [
    ["events", eventRow(eventId, tenant.tenant_id)],
    ["ticket_types", { id: typeId, ...ofEvent, ...TICKET_TYPE }],
    ["discounts", { id: discountId, ...tenant, ...DISCOUNT }],
    ["orders", { id: orderId, ...ofEvent, user_id: userId, reservation_id: newId(), ...ORDER }],
    ["order_items", { order_id: orderId, ...tenant, ticket_type_id: typeId, ...ORDER_ITEM }],
    ["order_discounts", { order_id: orderId, line_number: 1, discount_id: discountId, ...tenant, amount_cents: 100 }],
    ["reservations", { id: newId(), ticket_type_id: typeId, ...ofEvent, user_id: userId, ...RESERVATION }],
    ["reservation_history", { ticket_type_id: typeId, ...tenant, reservation_id: newId(), ...RESERVATION_CHANGE }],
    ["tickets", { id: ticketId, ...ofEvent, ticket_type_id: typeId, order_id: orderId, owner_user_id: userId, ...TICKET }],
    ["mint_jobs", { ticket_id: ticketId, ...ofEvent, status: "QUEUED", queued_at_ms: AT_MS, updated_at_ms: AT_MS }],
    ["payments", { provider, payment_id: newId(), ...tenant, order_id: orderId, ...PAYMENT }],
    ["payment_events", { provider, event_id: newId(), ...tenant, order_id: orderId, ...PAYMENT_EVENT }],
    ["undelivered_cursors", { provider: newId(), since_ms: AT_MS }],
    ["refunds", { id: newId(), ...tenant, order_id: orderId, provider, payment_id: newId(), ...REFUND }],
    ["qr_codes", { ticket_id: ticketId, user_id: userId, credential_epoch: 0, ...tenant, first_issued_at_ms: AT_MS }],
    [
      "ticket_transfers",
      { id: transferId, ...tenant, ticket_id: ticketId, from_user_id: userId, to_user_id: newId(), ...TRANSFER },
    ],
    ["asset_moves", { transfer_id: transferId, ...tenant, ticket_id: ticketId, status: "QUEUED", queued_at_ms: AT_MS }],
    ["wallet_claims", { id: newId(), ...tenant, ticket_id: ticketId, user_id: userId, ...CLAIM }],
    ["asset_burns", { ticket_id: ticketId, ...tenant, status: "QUEUED", queued_at_ms: AT_MS }],
    ["merkle_trees", { address: treeAddress, ...TREE }],
    ["tree_nodes", { tree_address: treeAddress, place: 1, hash: "00" }],
    ["tree_leaves", { tree_address: treeAddress, asset_id: newId(), ...LEAF }],
    ["tenant_trees", { address: newId(), ...tenant, ...TENANT_TREE, created_at_ms: AT_MS, updated_at_ms: AT_MS }],
    ["ticket_validations", { ...ofEvent, ticket_id: ticketId, scanned_by: newId(), ...VALIDATION }],
    ["user_blacklists", { ...tenant, user_id: userId, reason: "resale", created_by: newId(), created_at_ms: AT_MS }],
    ["idempotency_keys", { id: newId(), ...tenant, user_id: userId, route: "purchase", body_hash: "00", created_at_ms: AT_MS }],
    ["order_number_leases", { ...tenant, next_block: 0, shuffle_key: "00" }],
    ["outbox", { ...tenant, topic: "event.updated", body: "{}", created_at_ms: AT_MS, next_attempt_at_ms: AT_MS }],
    ["webhook_endpoints", { id: endpointId, ...tenant, ...ENDPOINT }],
    ["webhook_deliveries", { id: newId(), ...tenant, endpoint_id: endpointId, event_id: newId(), ...DELIVERY }],
    ["webhook_nonces", { provider, webhook_id: newId(), received_at_ms: AT_MS }],
  ];
}

function eventRow(id: string, tenantId: string): Row {
  const times = { starts_at_ms: AT_MS, ends_at_ms: AT_MS + 1, created_at_ms: AT_MS, updated_at_ms: AT_MS };
  return { id, tenant_id: tenantId, name: "Concert", timezone: "Europe/Berlin", currency: "EUR", ...times };
}

const TICKET_TYPE: Row = {
  number: 1,
  name: "Floor",
  price_cents: 5000,
  quantity: 100,
  min_per_order: 1,
  max_per_order: 10,
  reservation_ttl_seconds: 600,
  transferable: 1,
  fee_cents: 0,
  tax_rate_bps: 0,
  status: "ACTIVE",
  created_at_ms: AT_MS,
  updated_at_ms: AT_MS,
};

const DISCOUNT: Row = { code: "EARLY", type: "percentage", rule: "{}", stackable: 0, created_at_ms: AT_MS };

const ORDER: Row = {
  order_number: "ORD-00000001",
  status: "PENDING",
  currency: "EUR",
  subtotal_cents: 5000,
  discount_cents: 100,
  fee_cents: 0,
  tax_cents: 0,
  total_cents: 4900,
  hold_expires_at_ms: AT_MS,
  created_at_ms: AT_MS,
  seq: 1,
};

const ORDER_ITEM: Row = {
  line_number: 1,
  name: "Floor",
  quantity: 1,
  unit_price_cents: 5000,
  discount_cents: 100,
  fee_cents: 0,
  tax_cents: 0,
  total_cents: 4900,
};

const RESERVATION: Row = { quantity: 1, status: "PENDING", expires_at_ms: AT_MS, created_at_ms: AT_MS, seq: 1 };
const RESERVATION_CHANGE: Row = { seq: 1, status: "PENDING", quantity: 1, actor: "user", cause: "reserve", at_ms: AT_MS };
const TICKET: Row = { status: "SOLD", credential_epoch: 0, created_at_ms: AT_MS };
const MONEY: Row = { amount_cents: 4900, currency: "EUR", created_at_ms: AT_MS, seq: 1 };
const PAYMENT: Row = { ...MONEY, status: "SUCCEEDED", updated_at_ms: AT_MS };
const REFUND: Row = { ...MONEY, status: "created", reason: "late payment" };
const CLAIM: Row = { wallet_address: "1", issued_at_ms: AT_MS, expires_at_ms: AT_MS };
const TRANSFER: Row = { status: "PENDING", expires_at_ms: AT_MS, created_at_ms: AT_MS };
const TENANT_TREE: Row = { number: 1, depth: 14, buffer_size: 64, canopy_depth: 8, capacity: 16_384, status: "OPEN" };

const TREE: Row = { depth: 14, buffer_size: 64, canopy_depth: 0, seq: 0, slot: 0, updated_at_ms: AT_MS };
const LEAF: Row = {
  leaf_index: 0,
  owner_address: "owner",
  delegate_address: "owner",
  data_hash: "00",
  creator_hash: "00",
  collection_hash: "00",
  asset_data_hash: "00",
  flags: 0,
  is_burnt: 0,
  seq: 1,
  signature: "signature",
};

const PAYMENT_EVENT: Row = {
  type: "payment.succeeded",
  outcome: "recorded",
  attempts: 0,
  occurred_at_ms: AT_MS,
  received_at_ms: AT_MS,
  seq: 1,
};

const VALIDATION: Row = {
  seq: 1,
  type: "entry",
  result: "admitted",
  forced: 0,
  scanned_at_ms: AT_MS,
  received_at_ms: AT_MS,
};

const ENDPOINT: Row = {
  url: "https://hooks.example.test",
  event_types: "[]",
  sealed_secret: "00",
  sealed_with: 1,
  status: "ACTIVE",
  created_at_ms: AT_MS,
};

const DELIVERY: Row = {
  event_type: "ticket.transferred",
  body: "{}",
  status: "PENDING",
  next_attempt_at_ms: AT_MS,
  created_at_ms: AT_MS,
};
