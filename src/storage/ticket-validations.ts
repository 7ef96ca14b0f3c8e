import type { ScanReason } from "#domain/gate-messages";

/** An answered scan, as its gate tells of it. Times are Unix milliseconds. */
export interface RecordedScan {
  readonly ticketId: string | null;
  readonly listId: string | null;
  readonly type: "entry" | "exit";
  readonly result: "admitted" | "refused";
  readonly reason: ScanReason | null;
  readonly scannedBy: string;
  readonly nonce: string | null;
  /** True when only `force` let the holder in. */
  readonly forced: boolean;
  readonly scannedAtMs: number;
  readonly receivedAtMs: number;
  /** True when it let the ticket in for the first time. */
  readonly isFirstAdmission: boolean;
}

const INSERT_VALIDATIONS = `
INSERT INTO ticket_validations (event_id, seq, tenant_id, ticket_id, list_id, type, result, reason, scanned_by, nonce, forced,
  scanned_at_ms, received_at_ms)
SELECT ?1, value ->> '$.seq', ?2, value ->> '$.scan.ticketId', value ->> '$.scan.listId', value ->> '$.scan.type',
  value ->> '$.scan.result', value ->> '$.scan.reason', value ->> '$.scan.scannedBy', value ->> '$.scan.nonce',
  value ->> '$.scan.forced', value ->> '$.scan.scannedAtMs', value ->> '$.scan.receivedAtMs'
FROM json_each(?3) WHERE true
ON CONFLICT (event_id, seq) DO NOTHING`;

/** `+` keeps SQLite from walking all the tenant's tickets by their index for each scan; by id it looks up one. */
const MARK_USED = `
UPDATE tickets SET status = 'USED', admitted_at_ms = used.admitted_at_ms
FROM (SELECT value ->> '$.ticketId' AS ticket_id, value ->> '$.receivedAtMs' AS admitted_at_ms FROM json_each(?2)) AS used
WHERE tickets.id = used.ticket_id AND +tickets.tenant_id = ?1 AND tickets.status IN ('SOLD', 'TRANSFERRED')`;

/**
 * Writes a gate's scans and marks the tickets they let in as used, in one transaction. `(eventId, seq)` is the key and a
 * ticket leaves SOLD once, so the same rows again, or late, change nothing.
 * @throws a constraint error (see `isD1ConstraintError`) while D1 lacks the event or a ticket; nothing is written then.
 */
export async function projectValidations(
  db: D1Database,
  gate: { readonly tenantId: string; readonly eventId: string },
  rows: readonly { readonly seq: number; readonly scan: RecordedScan }[],
): Promise<void> {
  if (rows.length === 0) return;
  const used = rows.flatMap(({ scan }) => (scan.isFirstAdmission ? [scan] : []));
  const insert = db.prepare(INSERT_VALIDATIONS).bind(gate.eventId, gate.tenantId, JSON.stringify(rows));
  await db.batch(used.length === 0 ? [insert] : [insert, db.prepare(MARK_USED).bind(gate.tenantId, JSON.stringify(used))]);
}
