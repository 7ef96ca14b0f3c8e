/** How a tenant's reservations are walked through in D1: type by type, the oldest first, which is the order of their key. */

/** The key of a row of `reservations`. */
export interface ReservationKey {
  readonly ticketTypeId: string;
  readonly createdAtMs: number;
  readonly reservationId: string;
}

/** Before every row. */
export const FIRST_RESERVATION_KEY: ReservationKey = { ticketTypeId: "", createdAtMs: 0, reservationId: "" };

/** The order of the keys, for {@link RESERVATIONS_AFTER}. */
export const BY_TYPE_AND_AGE = "ticket_types.id, reservations.created_at_ms, reservations.id";

/** What follows `FROM` for the rows of tenant ?4 after the key (?1 ticket type, ?2 time, ?3 id); more conditions may follow. */
export const RESERVATIONS_AFTER = `ticket_types CROSS JOIN reservations ON reservations.ticket_type_id = ticket_types.id
  WHERE ticket_types.tenant_id = ?4 AND ticket_types.id >= ?1 AND (reservations.created_at_ms, reservations.id) >
    (CASE WHEN ticket_types.id = ?1 THEN ?2 ELSE -1 END, CASE WHEN ticket_types.id = ?1 THEN ?3 ELSE '' END)`;
