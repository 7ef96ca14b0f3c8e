import type { Admission, Revocation } from "#domain/admission";
import type { GateConfig, GateTicketType, ScanAnswer } from "#domain/gate-messages";

/** What a scan is about; `ticketId` and `listId` are '' where the scan has none. */
export interface ScanKey {
  readonly ticketId: string;
  readonly listId: string;
  readonly type: "entry" | "exit";
  readonly nonce: string | null;
}

/** A ticket at one list, to be stored. */
export interface AdmissionRow {
  readonly ticketId: string;
  readonly listId: string;
  readonly admission: Admission;
  readonly highestEpoch: number;
  /** Of the scan that let the ticket in for the first time here; null when it had none. */
  readonly firstNonce: string | null;
}

/** A ticket's dead credentials, to be stored, and who killed them. */
export interface RevocationRow {
  readonly ticketId: string;
  readonly revocation: Revocation;
  readonly actor: string;
}

/** A ticket to be blocked, or let in again, and by whom. */
export interface BlockRow {
  readonly ticketId: string;
  readonly isBlocked: boolean;
  readonly version: number;
  readonly actor: string;
}

/** Counts of one list and ticket type. */
export interface GateCounter {
  readonly listId: string;
  readonly ticketTypeNumber: number;
  admitted: number;
  inside: number;
}

/** What the gate's storage knows of some tickets. */
export interface TicketRecords {
  readonly admissions: readonly AdmissionRow[];
  readonly revocations: ReadonlyMap<string, Revocation>;
  readonly blocked: ReadonlySet<string>;
}

interface AdmissionSqlRow extends Record<string, SqlStorageValue> {
  ticket_id: string;
  list_id: string;
  entry_count: number;
  inside: number;
  first_admitted_at_ms: number;
  highest_epoch: number;
  first_nonce: string | null;
}

/** The SQL of one gate. Writes belong inside a commit; each takes all rows of the group in one statement. */
export class GateStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  findConfig(): GateConfig | undefined {
    return this.#sql
      .exec<{ tenantId: string; eventId: string; startsAtMs: number; endsAtMs: number }>(
        `SELECT tenant_id AS tenantId, event_id AS eventId, starts_at_ms AS startsAtMs, ends_at_ms AS endsAtMs FROM config`,
      )
      .toArray()[0];
  }

  saveConfig(config: GateConfig): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO config (id, tenant_id, event_id, starts_at_ms, ends_at_ms) VALUES (1, ?, ?, ?, ?)",
      config.tenantId,
      config.eventId,
      config.startsAtMs,
      config.endsAtMs,
    );
  }

  listTicketTypes(): GateTicketType[] {
    return this.#sql
      .exec<{ number: number; ticketTypeId: string; name: string }>(
        "SELECT number, ticket_type_id AS ticketTypeId, name FROM ticket_types",
      )
      .toArray();
  }

  saveTicketType(type: GateTicketType): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO ticket_types (number, ticket_type_id, name) VALUES (?, ?, ?)",
      type.number,
      type.ticketTypeId,
      type.name,
    );
  }

  listCounters(): GateCounter[] {
    return this.#sql
      .exec<{ listId: string; ticketTypeNumber: number; admitted: number; inside: number }>(
        "SELECT list_id AS listId, ticket_type_number AS ticketTypeNumber, admitted, inside FROM counters",
      )
      .toArray();
  }

  saveCounters(counters: readonly GateCounter[]): void {
    if (counters.length === 0) return;
    this.#sql.exec(
      `INSERT OR REPLACE INTO counters (list_id, ticket_type_number, admitted, inside)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`,
      JSON.stringify(counters.map((counter) => [counter.listId, counter.ticketTypeNumber, counter.admitted, counter.inside])),
    );
  }

  /** Everything stored about these tickets, at every list. */
  findTickets(ticketIds: readonly string[]): TicketRecords {
    const asked = JSON.stringify(ticketIds);
    const admissions = this.#sql
      .exec<AdmissionSqlRow>(
        `SELECT ticket_id, list_id, entry_count, inside, first_admitted_at_ms, highest_epoch, first_nonce
         FROM admissions WHERE ticket_id IN (SELECT value FROM json_each(?))`,
        asked,
      )
      .toArray();
    // One statement for both, because each scan pays for it.
    const bars = this.#sql
      .exec<{ ticket_id: string; min_epoch: number | null; reason: Revocation["reason"] | "blocked" }>(
        `SELECT ticket_id, min_epoch, reason FROM revocations WHERE ticket_id IN (SELECT value FROM json_each(?1))
         UNION ALL SELECT ticket_id, NULL, 'blocked' FROM blocks WHERE is_blocked = 1 AND ticket_id IN (SELECT value FROM json_each(?1))`,
        asked,
      )
      .toArray();
    return {
      admissions: admissions.map((row) => ({
        ticketId: row.ticket_id,
        listId: row.list_id,
        admission: { entryCount: row.entry_count, inside: row.inside === 1, firstAdmittedAtMs: row.first_admitted_at_ms },
        highestEpoch: row.highest_epoch,
        firstNonce: row.first_nonce,
      })),
      revocations: new Map(
        bars.flatMap(({ ticket_id: id, min_epoch: minEpoch, reason }) =>
          reason === "blocked" ? [] : [[id, { minEpoch, reason }]],
        ),
      ),
      blocked: new Set(bars.flatMap((row) => (row.reason === "blocked" ? [row.ticket_id] : []))),
    };
  }

  saveAdmissions(rows: readonly AdmissionRow[]): void {
    if (rows.length === 0) return;
    const values = rows.map(({ ticketId, listId, admission, highestEpoch, firstNonce }) => [
      ticketId,
      listId,
      admission.entryCount,
      admission.inside ? 1 : 0,
      admission.firstAdmittedAtMs,
      highestEpoch,
      firstNonce,
    ]);
    this.#sql.exec(
      `INSERT OR REPLACE INTO admissions (ticket_id, list_id, entry_count, inside, first_admitted_at_ms, highest_epoch, first_nonce)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)`,
      JSON.stringify(values),
    );
  }

  saveRevocations(rows: readonly RevocationRow[], nowMs: number): void {
    if (rows.length === 0) return;
    this.#sql.exec(
      `INSERT OR REPLACE INTO revocations (ticket_id, min_epoch, reason, actor, revoked_at_ms)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2 FROM json_each(?1)`,
      JSON.stringify(rows.map(({ ticketId, revocation, actor }) => [ticketId, revocation.minEpoch, revocation.reason, actor])),
      nowMs,
    );
  }

  /** Blocks and unblocks. */
  saveBlocks(rows: readonly BlockRow[], nowMs: number): void {
    if (rows.length === 0) return;
    this.#sql.exec(
      `INSERT OR REPLACE INTO blocks (ticket_id, is_blocked, version, actor, changed_at_ms)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2 FROM json_each(?1)`,
      JSON.stringify(rows.map(({ ticketId, isBlocked, version, actor }) => [ticketId, Number(isBlocked), version, actor])),
      nowMs,
    );
  }

  /** The versions of the last blocks and unblocks of these tickets; none for a ticket that was never blocked. */
  findBlockVersions(ticketIds: readonly string[]): Map<string, number> {
    const rows = this.#sql
      .exec<{ ticket_id: string; version: number }>(
        "SELECT ticket_id, version FROM blocks WHERE ticket_id IN (SELECT value FROM json_each(?))",
        JSON.stringify(ticketIds),
      )
      .toArray();
    return new Map(rows.map((row) => [row.ticket_id, row.version]));
  }

  /** The first answers of the scans that were asked before, by {@link nonceKey}. */
  findAnswers(keys: readonly ScanKey[]): Map<string, ScanAnswer> {
    const asked = keys.filter((key) => key.nonce !== null);
    if (asked.length === 0) return new Map();
    const rows = this.#sql
      .exec<{ ticketId: string; listId: string; type: "entry" | "exit"; nonce: string; answer: string }>(
        `SELECT n.ticket_id AS ticketId, n.list_id AS listId, n.type, n.nonce, n.answer FROM json_each(?) AS asked
         CROSS JOIN nonces AS n ON n.ticket_id = asked.value ->> 0 AND n.list_id = asked.value ->> 1
           AND n.type = asked.value ->> 2 AND n.nonce = asked.value ->> 3`,
        JSON.stringify(asked.map((key) => [key.ticketId, key.listId, key.type, key.nonce])),
      )
      .toArray();
    return new Map(rows.map((row) => [nonceKey(row), JSON.parse(row.answer) as ScanAnswer])); // written by saveAnswers
  }

  saveAnswers(answers: readonly { readonly key: ScanKey; readonly answer: ScanAnswer }[]): void {
    if (answers.length === 0) return;
    this.#sql.exec(
      `INSERT INTO nonces (ticket_id, list_id, type, nonce, answer)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4 FROM json_each(?)`,
      JSON.stringify(answers.map(({ key, answer }) => [key.ticketId, key.listId, key.type, key.nonce, answer])),
    );
  }

  hasAnswers(): boolean {
    return this.#sql.exec("SELECT 1 FROM nonces LIMIT 1").toArray().length > 0;
  }

  /** Forgets at most `limit` first answers. */
  removeAnswers(limit: number): void {
    this.#sql.exec(
      `DELETE FROM nonces WHERE (ticket_id, list_id, type, nonce) IN (SELECT ticket_id, list_id, type, nonce FROM nonces LIMIT ?)`,
      limit,
    );
  }
}

/** One text for what a nonce is unique within, so that answers can be found in a Map. */
export function nonceKey(key: ScanKey): string {
  return JSON.stringify([key.ticketId, key.listId, key.type, key.nonce]);
}
