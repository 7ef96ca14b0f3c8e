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
INSERT INTO ticket_validations (event_id, tenant_id, seq, ticket_id, list_id, type, result, reason, scanned_by, nonce, forced,
  scanned_at_ms, received_at_ms)
SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8, value ->> 9, value ->> 10
FROM json_each(?3) WHERE true
ON CONFLICT (event_id, seq) DO NOTHING`;

function toValidationRow(seq: number, scan: RecordedScan): (string | number | boolean | null)[] {
  const { ticketId, listId, type, result, reason, scannedBy, nonce, forced, scannedAtMs, receivedAtMs } = scan;
  return [seq, ticketId, listId, type, result, reason, scannedBy, nonce, forced, scannedAtMs, receivedAtMs];
}

/** `+` keeps SQLite from walking all the tenant's tickets by their index for each scan; by id it looks up one. */
const MARK_USED = `
UPDATE tickets SET status = 'USED', admitted_at_ms = used.admitted_at_ms
FROM (SELECT value ->> 0 AS ticket_id, value ->> 1 AS admitted_at_ms FROM json_each(?2)) AS used
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
  const used = rows.flatMap(({ scan }) => (scan.isFirstAdmission ? [[scan.ticketId, scan.receivedAtMs]] : []));
  const values = rows.map(({ seq, scan }) => toValidationRow(seq, scan));
  const insert = db.prepare(INSERT_VALIDATIONS).bind(gate.eventId, gate.tenantId, JSON.stringify(values));
  await db.batch(used.length === 0 ? [insert] : [insert, db.prepare(MARK_USED).bind(gate.tenantId, JSON.stringify(used))]);
}
