import type { Admission, Revocation, TicketAtGate } from "#domain/admission";
import type { AdmitCommand } from "#domain/gate-messages";
import type { AdmissionRow, TicketRecords } from "./gate-store.ts";

/** The tickets of one group of scans, kept up to date while its commands are decided one after the other. */
export class GroupTickets {
  readonly #admissions = new Map<string, Map<string, AdmissionRow>>();
  readonly #revocations: Map<string, Revocation>;
  readonly #blocked: Set<string>;

  constructor(records: TicketRecords) {
    this.#revocations = new Map(records.revocations);
    this.#blocked = new Set(records.blocked);
    for (const row of records.admissions) this.#put(row);
  }

  #put(row: AdmissionRow): void {
    const lists = this.#admissions.get(row.ticketId) ?? new Map<string, AdmissionRow>();
    lists.set(row.listId, row);
    this.#admissions.set(row.ticketId, lists);
  }

  /** The ticket as a scan at this list must see it. */
  view(ticketId: string, listId: string): TicketAtGate {
    const lists = this.#admissions.get(ticketId);
    const epochs = lists === undefined ? [] : [...lists.values()].map((row) => row.highestEpoch);
    return {
      admission: lists?.get(listId)?.admission ?? null,
      highestEpoch: epochs.length === 0 ? null : Math.max(...epochs),
      revocation: this.#revocations.get(ticketId) ?? null,
      isBlocked: this.#blocked.has(ticketId),
    };
  }

  /** The ticket's row at this list; undefined for one that was never let in here. */
  findAdmission(ticketId: string, listId: string): AdmissionRow | undefined {
    return this.#admissions.get(ticketId)?.get(listId);
  }

  /** Notes the ticket's new state at a list. @returns the row to store. */
  admit(scan: AdmitCommand, listId: string, admission: Admission): AdmissionRow {
    const { ticketId, credentialEpoch, nonce } = scan;
    const known = this.findAdmission(ticketId, listId);
    const row = {
      ticketId,
      listId,
      admission,
      highestEpoch: Math.max(known?.highestEpoch ?? 0, credentialEpoch),
      firstNonce: known === undefined ? nonce : known.firstNonce,
    };
    this.#put(row);
    return row;
  }

  revoke(ticketId: string, revocation: Revocation): void {
    this.#revocations.set(ticketId, revocation);
  }

  block(ticketId: string, isBlocked: boolean): void {
    if (isBlocked) this.#blocked.add(ticketId);
    else this.#blocked.delete(ticketId);
  }
}
