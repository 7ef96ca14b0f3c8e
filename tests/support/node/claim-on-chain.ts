import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { AssetMessage } from "#domain/asset-work";
import { claimTicket } from "#services/claim/claim-ticket";
import type { ClaimContext } from "#services/claim/find-claimable";
import { issueChallenge } from "#services/claim/issue-challenge";
import type { SoldTickets } from "../sold-tickets.ts";
import type { Wallet } from "../wallet.ts";

/** Claims a ticket as its buyer into a wallet, by the wallet's own signature. @returns what the asset queue was told. */
export async function claimFor(
  db: DrizzleD1Database,
  { tenantId, userId }: SoldTickets,
  ticketId: string,
  wallet: Wallet,
): Promise<readonly AssetMessage[]> {
  const sent: AssetMessage[] = [];
  const context = {
    db,
    gate: () => ({ previewHandOver: () => Promise.resolve("done") }),
    assetQueue: { send: (message: AssetMessage) => Promise.resolve(void sent.push(message)) },
    newId: () => crypto.randomUUID(),
    nowMs: Date.now(),
    principal: { tenantId, userId, role: "user", permissions: [] },
    publicBaseUrl: "https://tickets.test",
    solanaCluster: "localnet",
  };
  const ctx = context as unknown as ClaimContext; // whatever else is asked for is undefined and fails the test
  const challenge = await issueChallenge(ctx, { ticketId, walletAddress: wallet.address });
  if (!challenge.ok) throw new Error(`no challenge: ${challenge.failure.code}`);
  const { message } = challenge.value;
  const claimed = await claimTicket(ctx, { ticketId, message, signature: wallet.sign(message) });
  if (!claimed.ok) throw new Error(`not claimed: ${claimed.failure.code}`);
  return sent;
}
