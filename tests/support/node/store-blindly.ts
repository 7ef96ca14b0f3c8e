import { inArray, sql } from "drizzle-orm";
import type * as MintJobs from "#storage/mint-jobs";
import { mintJobs } from "#storage/schema";

/** In place of `storeSignedMints`: stores what was signed without looking at what is stored, and takes everybody for the winner. */
export const storeBlindly: typeof MintJobs.storeSignedMints = async (db, tasks, change) => {
  const { signature, wireBase64, lastValidBlockHeight } = change;
  const ids = tasks.map(({ ticketId }) => ticketId);
  await db
    .update(mintJobs)
    .set({ status: "SUBMITTED", signature, wireBase64, lastValidBlockHeight, attempts: sql`${mintJobs.attempts} + 1` })
    .where(inArray(mintJobs.ticketId, ids));
  return true;
};
