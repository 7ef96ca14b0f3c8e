import { publicKey, type Umi } from "@metaplex-foundation/umi";
import { mayAddTo } from "#domain/chain-suitability";
import { deriveSigner } from "./derived-signer.ts";
import { buildCreateCollection } from "./event-collection.ts";
import type { MintableEvent } from "./minter.ts";
import { inspectCollection } from "./read-accounts.ts";
import { RpcError, type RpcClient } from "./rpc-client.ts";
import { sendSetup } from "./send-setup.ts";

/** What the address of an event's collection derives from. */
export function collectionPurpose({ eventId, isFrozen = false }: Pick<MintableEvent, "eventId" | "isFrozen">): string {
  return isFrozen ? `collection/${eventId}/frozen` : `collection/${eventId}`;
}

/**
 * Finds the collection that an event's tickets join: the one that is known, unless the wallet may not mint into it (it was made
 * under another wallet), else one of the wallet's own, which is made when it is not there.
 * @returns `isReady` false while it is not on chain yet: ask again.
 */
export async function ensureCollection(
  umi: Umi,
  rpc: RpcClient,
  event: MintableEvent,
): Promise<{ readonly address: string; readonly isReady: boolean }> {
  const { knownAddress = null } = event;
  if (knownAddress !== null && (await mayMintInto(umi, rpc, knownAddress))) return { address: knownAddress, isReady: true };
  const collection = await deriveSigner(umi, umi.identity, collectionPurpose(event));
  const address: string = collection.publicKey;
  if (knownAddress !== address && (await mayMintInto(umi, rpc, address))) return { address, isReady: true };
  try {
    await sendSetup(umi, rpc, buildCreateCollection(umi, collection, event));
  } catch (error) {
    // Two deliveries of one event's tickets race here, and the loser's preflight fails. Whether it is ready, the chain says.
    if (!(error instanceof RpcError)) throw error;
  }
  return { address, isReady: false };
}

async function mayMintInto(umi: Umi, rpc: RpcClient, address: string): Promise<boolean> {
  const found = await inspectCollection(rpc, publicKey(address));
  return found !== "missing" && found !== "other" && mayAddTo(found, umi.identity.publicKey);
}
