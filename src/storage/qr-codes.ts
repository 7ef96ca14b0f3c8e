import type { DrizzleD1Database } from "drizzle-orm/d1";
import { qrCodes } from "./schema.ts";

/** A credential in a holder's hands: every code they are shown until it changes hands is the same credential. */
export type QrCodeRow = typeof qrCodes.$inferInsert;

/**
 * Remembers that a credential was issued; the first time counts.
 * @throws a constraint error (see `isD1ConstraintError`) while D1 has no row for the ticket.
 */
export async function insertQrCode(db: DrizzleD1Database, row: QrCodeRow): Promise<void> {
  await db.insert(qrCodes).values(row).onConflictDoNothing();
}
