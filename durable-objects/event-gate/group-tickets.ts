import type { Admission, Revocation, TicketAtGate } from "#domain/admission";
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

  /** Notes the ticket's new state at a list. @returns the row to store. */
  admit(ticketId: string, listId: string, admission: Admission, credentialEpoch: number): AdmissionRow {
    const known = this.#admissions.get(ticketId)?.get(listId)?.highestEpoch ?? 0;
    const row = { ticketId, listId, admission, highestEpoch: Math.max(known, credentialEpoch) };
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
