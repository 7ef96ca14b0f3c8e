import { findTreeConfigPda, setTreeDelegate } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { deriveSigner } from "#chain/derived-signer";
import { buildCreateCollection, type NewCollection } from "#chain/event-collection";
import { buildLookupTable, findLookupTable, inspectLookupTable } from "#chain/lookup-table";
import { inspectCollection, inspectTree } from "#chain/read-accounts";
import { buildCreateTree } from "#chain/umi-tree-keeper";
import { judgeCollection, judgeLookupTable, judgeTree } from "#domain/chain-suitability";
import type { TreeShape } from "#domain/tree-shape";
import { settle, type Owner } from "./owner.ts";

/** An account that is ready to be minted into, and whether it was made now. */
export interface Provisioned {
  readonly address: string;
  readonly isNew: boolean;
}

/** The address of an account of this owner's, known before it is made: it derives from the owner's key and the purpose. */
export async function deriveAddress({ umi, signer }: Owner, purpose: string): Promise<string> {
  return (await deriveSigner(umi, signer, purpose)).publicKey;
}

/**
 * Makes a tree that the owner owns and the minting wallet may mint into, unless it is there; a step that is missing is made good.
 * @param purpose what the tree's address derives from.
 * @throws when what is there cannot be minted into.
 */
export async function provisionTree(
  owner: Owner,
  { purpose, shape, minterAddress }: { readonly purpose: string; readonly shape: TreeShape; readonly minterAddress: string },
): Promise<Provisioned> {
  const { umi, rpc, signer } = owner;
  const tree = await deriveSigner(umi, signer, purpose);
  const address: string = tree.publicKey;
  const found = await inspectTree(umi, rpc, address);
  const isNew = found === "missing";
  const [treeConfig] = findTreeConfigPda(umi, { merkleTree: tree.publicKey });
  const appoint = setTreeDelegate(umi, {
    treeConfig,
    treeCreator: signer,
    newTreeDelegate: publicKey(minterAddress),
    merkleTree: tree.publicKey,
  });
  if (isNew) await settle(owner, (await buildCreateTree(umi, tree, shape)).add(appoint));
  else if (found !== "other" && found.delegateAddress !== minterAddress) await settle(owner, appoint);
  assertSuitable(address, judgeTree(await inspectTree(umi, rpc, address), { walletAddress: minterAddress, ticketCount: 1 }));
  return { address, isNew };
}

/**
 * Makes the lookup table of a tree, unless this owner has made it: it is fixed then, also as to the collections in it.
 * @throws when what is there cannot be used.
 */
export async function provisionLookupTable(
  owner: Owner,
  tree: string,
  collections: readonly string[] = [],
): Promise<Provisioned> {
  const { umi, rpc } = owner;
  const known = await findLookupTable(umi, rpc, tree);
  if (known === null) await settle(owner, await buildLookupTable(umi, rpc, tree, collections));
  const address = known ?? (await findLookupTable(umi, rpc, tree));
  if (address === null) throw new Error("the node does not show the lookup table yet; run this again");
  const found = await inspectLookupTable(umi, rpc, { address, tree, commitment: "confirmed" });
  assertSuitable(address, judgeLookupTable(found, address));
  return { address, isNew: known === null };
}

/**
 * Makes a collection that the owner owns and the minting wallet may mint into, unless it is there.
 * @throws when what is there cannot be minted into: the delegates of a collection are fixed when it is made.
 */
export async function provisionCollection(
  owner: Owner,
  { purpose, ...wanted }: NewCollection & { readonly purpose: string; readonly minterAddress: string },
): Promise<Provisioned> {
  const { umi, rpc, signer } = owner;
  const collection = await deriveSigner(umi, signer, purpose);
  const address: string = collection.publicKey;
  const isNew = (await inspectCollection(rpc, address)) === "missing";
  if (isNew) await settle(owner, buildCreateCollection(umi, collection, wanted));
  const { minterAddress: walletAddress, isFrozen = false } = wanted;
  assertSuitable(address, judgeCollection(await inspectCollection(rpc, address), { walletAddress, isFrozen, path: address }));
  return { address, isNew };
}

function assertSuitable(address: string, problems: readonly { readonly message: string }[]): void {
  if (problems.length > 0) throw new Error(`${address}: ${problems.map(({ message }) => message).join(" ")}`);
}
