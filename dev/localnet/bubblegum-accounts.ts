import { findTreeConfigPda } from "@metaplex-foundation/mpl-bubblegum";
import { createNoopSigner, defaultPublicKey, publicKey } from "@metaplex-foundation/umi";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient } from "#chain/rpc-client";
import { InstructionFailure, type AccountOverlay, type EmulatedCall } from "./account-overlay.ts";
import type { PathChange } from "#domain/merkle-tree";
import { ConcurrentMerkleTree } from "./concurrent-merkle-tree.ts";
import { CORE_PROGRAM_ID } from "./core-emulator.ts";
import { encodeChangeEvent, encodeLeafEvent, type Leaf } from "./leaf-encoding.ts";

/** Bubblegum V2. */
export const BUBBLEGUM_PROGRAM_ID = "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY";
/** Owner of every tree's account. */
export const COMPRESSION_PROGRAM_ID = "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW";
const NOOP_PROGRAM_ID = "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3";

/** Bubblegum's config of a tree. */
export const CONFIG_BYTES = 96;

/** How Bubblegum tells mpl-core to count an asset of a collection: instruction 32, a flag for fewer, one asset. */
const CORE_COUNT_DATA = {
  "one more": Uint8Array.of(32, 0, 1, 0, 0, 0),
  "one less": Uint8Array.of(32, 1, 1, 0, 0, 0),
} as const;

/** Only to derive addresses: it never calls anyone. */
export const addresses = createLeanUmi(createRpcClient("http://nobody.invalid"), createNoopSigner(defaultPublicKey()));

/** The config of a tree. @throws InstructionFailure when `config` is none, or another tree's. */
export function readConfig(overlay: AccountOverlay, config: string, tree: string): Uint8Array {
  const [expected] = findTreeConfigPda(addresses, { merkleTree: publicKey(tree) });
  if (config !== expected) throw new InstructionFailure(2006, "ConstraintSeeds");
  const { data } = overlay.read(config);
  if (data.length !== CONFIG_BYTES) throw new InstructionFailure(3012, "AccountNotInitialized");
  return data;
}

/** A copy of the tree. @throws InstructionFailure when the account is none. */
export function readTree(overlay: AccountOverlay, tree: string): ConcurrentMerkleTree {
  const account = overlay.read(tree);
  if (account.owner !== COMPRESSION_PROGRAM_ID) throw new InstructionFailure(3007, "AccountOwnedByWrongProgram");
  return new ConcurrentMerkleTree(account.data);
}

/** The call that logs a leaf. */
export function logLeaf(leaf: Leaf): EmulatedCall {
  return logBytes(encodeLeafEvent(leaf), 2);
}

/** The call that changes a tree, of which only who is called is emulated, and the one by which that logs the change. */
export function logChange(tree: string, merkle: ConcurrentMerkleTree, change: PathChange): EmulatedCall[] {
  const changing = { programId: COMPRESSION_PROGRAM_ID, accounts: [tree], data: new Uint8Array(), stackHeight: 2 };
  return [changing, logBytes(encodeChangeEvent(tree, merkle.depth, merkle.seq, change), 3)];
}

/** The call that counts an asset of a collection. */
export function callCore(what: keyof typeof CORE_COUNT_DATA, collection: string, signer: string): EmulatedCall {
  return { programId: CORE_PROGRAM_ID, accounts: [collection, signer], data: CORE_COUNT_DATA[what], stackHeight: 2 };
}

function logBytes(data: Uint8Array, stackHeight: number): EmulatedCall {
  return { programId: NOOP_PROGRAM_ID, accounts: [], data, stackHeight };
}
