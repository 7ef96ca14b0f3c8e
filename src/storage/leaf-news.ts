import type { LeafNews, TicketInNews } from "#domain/chain-news";
import type { TicketStatus } from "#domain/statuses";
import { TENANT_WANTS_EVENTS } from "./outgoing-events.ts";

/** A change of a leaf by its place and number. */
export interface LeafChange {
  readonly treeAddress: string;
  readonly leafIndex: number;
  readonly seq: number;
}

/** A ticket in the news, with what naming it takes. */
export interface NamedTicket extends TicketInNews {
  readonly id: string;
  readonly tenantId: string;
  readonly eventId: string;
  readonly ownerUserId: string;
}

/** A change that nobody has compared with its ticket yet. */
export type StoredNews = LeafChange & LeafNews & { readonly assetId: string; readonly ticket: NamedTicket | undefined };

const LIST_NEWS = `
  SELECT l.tree_address AS treeAddress, l.leaf_index AS leafIndex, l.seq, l.asset_id AS assetId, l.owner_address AS ownerAddress, l.is_burnt AS isBurnt,
    l.signature = m.signature OR EXISTS (SELECT 1 FROM asset_moves AS made
      WHERE made.ticket_id = t.id AND made.signature = l.signature) AS isOurs,
    t.id, t.tenant_id AS tenantId, t.event_id AS eventId, t.owner_user_id AS ownerUserId, t.status,
    t.credential_epoch AS credentialEpoch, t.admitted_at_ms AS admittedAtMs, t.wallet_address AS walletAddress,
    t.held_by_address AS heldByAddress, t.held_since_ms IS NOT NULL AS isHoldDone, y.transferable AS isTransferable, b.ticket_id IS NOT NULL AS isCancelled,
    EXISTS (SELECT 1 FROM asset_moves AS open WHERE open.ticket_id = t.id AND open.status IN ('QUEUED', 'SUBMITTED')) AS isMoving,
    (SELECT last.status = 'FAILED' FROM asset_moves AS last WHERE last.ticket_id = t.id
      ORDER BY last.queued_at_ms DESC, last.transfer_id DESC LIMIT 1) AS isAstray
  FROM tree_leaves AS l
  LEFT JOIN mint_jobs AS m ON m.asset_id = l.asset_id AND m.status = 'MINTED'
  LEFT JOIN tickets AS t ON t.id = m.ticket_id
  LEFT JOIN ticket_types AS y ON y.id = t.ticket_type_id
  LEFT JOIN asset_burns AS b ON b.ticket_id = t.id
  WHERE l.news_at_ms <= ?1 ORDER BY l.news_at_ms LIMIT ?2`;

interface NewsColumns extends LeafChange {
  readonly assetId: string;
  readonly ownerAddress: string;
  readonly isBurnt: number;
  readonly isOurs: number | null;
  readonly id: string | null;
  readonly tenantId: string;
  readonly eventId: string;
  readonly ownerUserId: string;
  readonly status: TicketStatus;
  readonly credentialEpoch: number;
  readonly admittedAtMs: number | null;
  readonly walletAddress: string | null;
  readonly heldByAddress: string | null;
  readonly isHoldDone: number;
  readonly isTransferable: number;
  readonly isCancelled: number;
  readonly isMoving: number;
  readonly isAstray: number | null;
}

/** Changes that are due to be compared with their tickets, of any tenant, the longest waiting first. */
export async function listLeafNews(d1: D1Database, nowMs: number, limit: number): Promise<StoredNews[]> {
  const { results } = await d1.prepare(LIST_NEWS).bind(nowMs, limit).all<NewsColumns>();
  return results.map(({ treeAddress, leafIndex, seq, assetId, ownerAddress, isBurnt, isOurs, id, ...ticket }) => ({
    treeAddress,
    leafIndex,
    seq,
    assetId,
    ownerAddress,
    isBurnt: isBurnt === 1,
    isOurs: isOurs === 1,
    ticket: id === null ? undefined : { ...ticket, id, ...readFlags(ticket) },
  }));
}

/** SQLite's truth values. */
function readFlags(row: Pick<NewsColumns, "isHoldDone" | "isTransferable" | "isCancelled" | "isMoving" | "isAstray">) {
  const { isHoldDone, isTransferable, isCancelled, isMoving, isAstray } = row;
  return {
    isHoldDone: isHoldDone === 1,
    isTransferable: isTransferable === 1,
    isCancelled: isCancelled === 1,
    isMoving: isMoving === 1,
    isAstray: isAstray === 1,
  };
}

const SET_NEWS = `UPDATE tree_leaves SET news_at_ms = ?2 FROM json_each(?1) AS judged
  WHERE tree_leaves.tree_address = judged.value ->> 0 AND tree_leaves.leaf_index = judged.value ->> 1
    AND tree_leaves.seq = judged.value ->> 2 AND tree_leaves.news_at_ms IS NOT NULL`;

/** Says when changes are to be judged again, null for never. A leaf that changed meanwhile is news of its own. */
export async function scheduleLeafNews(d1: D1Database, changes: readonly LeafChange[], atMs: number | null): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ treeAddress, leafIndex, seq }) => [treeAddress, leafIndex, seq]);
  await d1.prepare(SET_NEWS).bind(JSON.stringify(rows), atMs).run();
}

/** The ticket is as it was judged, and nothing moves its asset. */
const IS_UNCHANGED = `tickets.id = ?1 AND tickets.tenant_id = ?2 AND tickets.owner_user_id = ?3 AND tickets.credential_epoch = ?4
  AND tickets.held_by_address IS ?5 AND tickets.wallet_address IS ?6 AND tickets.status IN ('SOLD', 'TRANSFERRED')
  AND tickets.admitted_at_ms IS NULL
  AND NOT EXISTS (SELECT 1 FROM asset_burns AS burn WHERE burn.ticket_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM asset_moves AS open WHERE open.ticket_id = ?1 AND open.status IN ('QUEUED', 'SUBMITTED'))`;

const ANNOUNCE_HELD = `INSERT INTO outbox (tenant_id, topic, body, attempts, created_at_ms, next_attempt_at_ms)
  SELECT tickets.tenant_id, 'ticket.held_elsewhere', json_object('ticketId', tickets.id, 'orderId', tickets.order_id,
    'eventId', tickets.event_id, 'ownerUserId', tickets.owner_user_id, 'heldByAddress', tickets.held_by_address), 0, ?7, ?7
  FROM tickets WHERE ${IS_UNCHANGED} AND tickets.held_since_ms IS NULL AND ${TENANT_WANTS_EVENTS}`;

const COMPLETE_HOLD = `UPDATE tickets SET held_since_ms = ?7, credential_epoch = credential_epoch + 1
  WHERE ${IS_UNCHANGED} AND tickets.held_since_ms IS NULL`;

/** Ends the open offer of a ticket that is held now, unless somebody is accepting it. */
const END_OFFER = `UPDATE ticket_transfers SET status = 'CANCELLED', cause = 'ticket_recalled', settled_at_ms = ?3,
    to_email = iif(to_user_id IS NULL, '', NULL)
  WHERE ticket_id = ?1 AND tenant_id = ?2 AND status = 'PENDING' AND claimed_at_ms IS NULL
    AND EXISTS (SELECT 1 FROM tickets WHERE tickets.id = ?1 AND tickets.held_since_ms = ?3)`;

const SET_HOLDER = `UPDATE tickets SET held_by_address = ?7 WHERE ${IS_UNCHANGED}`;
const RELEASE = `UPDATE tickets SET held_by_address = NULL, held_since_ms = NULL WHERE ${IS_UNCHANGED}`;
const ABANDON_HOLD = `UPDATE tickets SET held_by_address = NULL
  WHERE id = ?1 AND tenant_id = ?2 AND held_by_address = ?3 AND held_since_ms IS NULL`;

/**
 * Names the wallet outside the service that has a ticket's asset. For a ticket that nobody held, this begins to hold it: from now on it is
 * neither shown nor passed on, and whoever comes by takes that to its end.
 * @returns false when the ticket is not as it was judged.
 */
export async function setHolder(d1: D1Database, ticket: NamedTicket, address: string): Promise<boolean> {
  return changesOne(d1, SET_HOLDER, [...keyOf(ticket), address]);
}

/**
 * Takes the holding of a ticket to its end: the next epoch, no open offer, and the tenant's event if it wants any; all or nothing, and only
 * if the ticket is as it was judged. Call it once the gate has killed the ticket's credentials.
 */
export async function completeHold(
  d1: D1Database,
  ticket: NamedTicket,
  nowMs: number,
): Promise<{ readonly isHeld: boolean; readonly isAnnounced: boolean }> {
  const key = keyOf(ticket);
  const [announced, held] = await d1.batch([
    d1.prepare(ANNOUNCE_HELD).bind(...key, nowMs),
    d1.prepare(COMPLETE_HOLD).bind(...key, nowMs),
    d1.prepare(END_OFFER).bind(ticket.id, ticket.tenantId, nowMs),
  ]);
  return { isHeld: held?.meta.changes === 1, isAnnounced: announced?.meta.changes === 1 };
}

/** Gives up to hold a ticket whose gate says that it is too late: it stays with its owner. Repeats change nothing. */
export async function abandonHold(d1: D1Database, { id, tenantId, heldByAddress }: NamedTicket): Promise<void> {
  await d1.prepare(ABANDON_HOLD).bind(id, tenantId, heldByAddress).run();
}

/** The asset is back where it belongs: its owner may show the ticket again. @returns false when the ticket is not as it was judged. */
export async function releaseTicket(d1: D1Database, ticket: NamedTicket): Promise<boolean> {
  return changesOne(d1, RELEASE, keyOf(ticket));
}

const ARRIVE = `UPDATE asset_moves SET status = 'MOVED', tree_seq = ?3, last_error = NULL, updated_at_ms = ?4
  WHERE transfer_id = (SELECT transfer_id FROM asset_moves WHERE ticket_id = ?1 ORDER BY queued_at_ms DESC, transfer_id DESC LIMIT 1)
    AND tenant_id = ?2 AND status = 'FAILED'`;

/** Ends the move that was given up: the asset is where it belongs since the tree's change number `seq`. Repeats change nothing. */
export async function settleLastMove(
  d1: D1Database,
  { id, tenantId }: Pick<NamedTicket, "id" | "tenantId">,
  seq: number,
  nowMs: number,
): Promise<void> {
  await d1.prepare(ARRIVE).bind(id, tenantId, seq, nowMs).run();
}

async function changesOne(d1: D1Database, statement: string, values: readonly unknown[]): Promise<boolean> {
  const ran = await d1
    .prepare(statement)
    .bind(...values)
    .run();
  return ran.meta.changes === 1;
}

function keyOf({ id, tenantId, ownerUserId, credentialEpoch, heldByAddress, walletAddress }: NamedTicket) {
  return [id, tenantId, ownerUserId, credentialEpoch, heldByAddress, walletAddress] as const;
}
