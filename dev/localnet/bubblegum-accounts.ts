import { findTreeConfigPda } from "@metaplex-foundation/mpl-bubblegum";
import { createNoopSigner, defaultPublicKey, publicKey } from "@metaplex-foundation/umi";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient } from "#chain/rpc-client";
import { InstructionFailure, type AccountOverlay, type EmulatedCall } from "./account-overlay.ts";
import type { PathChange } from "#domain/merkle-tree";
import { ConcurrentMerkleTree } from "./concurrent-merkle-tree.ts";
import { CORE_PROGRAM_ID } from "./core-emulator.ts";
import { concatBytes, encodeChangeEvent, encodeLeafEvent, type Leaf } from "./leaf-encoding.ts";

/** Bubblegum V2. */
export const BUBBLEGUM_PROGRAM_ID = "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY";
/** Owner of every tree's account. */
export const COMPRESSION_PROGRAM_ID = "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW";
const NOOP_PROGRAM_ID = "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3";

/** Bubblegum's config of a tree. */
export const CONFIG_BYTES = 96;

/** How Bubblegum tells mpl-core to count an asset of a collection: instruction 32, 0 for more or 2 for fewer, one asset. */
const CORE_COUNT_DATA = {
  "one more": Uint8Array.of(32, 0, 1, 0, 0, 0),
  "one less": Uint8Array.of(32, 2, 1, 0, 0, 0),
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

/** How the compression program is called, by the first eight bytes of an instruction. */
const COMPRESSION_DISCRIMINATORS = {
  init: Uint8Array.of(191, 11, 119, 7, 180, 107, 220, 110),
  append: Uint8Array.of(149, 120, 18, 222, 236, 225, 88, 203),
  replace: Uint8Array.of(204, 165, 76, 100, 73, 147, 0, 128),
} as const;

/** A tree that was changed just now, by an instruction whose first account is its config. */
export interface ChangedTree {
  readonly address: string;
  readonly config: string;
  readonly merkle: ConcurrentMerkleTree;
  readonly change: PathChange;
}

/**
 * The call to the compression program that changes a tree, and the one by which that logs the change.
 * @param args what follows the instruction's discriminator.
 * @param proof accounts that stand for nodes.
 */
export function changeTree(
  { address, config, merkle, change }: ChangedTree,
  how: keyof typeof COMPRESSION_DISCRIMINATORS,
  args: Uint8Array,
  proof: readonly string[] = [],
): EmulatedCall[] {
  const accounts = [address, config, NOOP_PROGRAM_ID, ...proof];
  const data = concatBytes(COMPRESSION_DISCRIMINATORS[how], args);
  const log = logBytes(encodeChangeEvent(address, merkle.depth, merkle.seq, change), 3);
  return [{ programId: COMPRESSION_PROGRAM_ID, accounts, data, stackHeight: 2 }, log];
}

/** The call that counts an asset of a collection. */
export function callCore(what: keyof typeof CORE_COUNT_DATA, collection: string, signer: string): EmulatedCall {
  return { programId: CORE_PROGRAM_ID, accounts: [collection, signer], data: CORE_COUNT_DATA[what], stackHeight: 2 };
}

function logBytes(data: Uint8Array, stackHeight: number): EmulatedCall {
  return { programId: NOOP_PROGRAM_ID, accounts: [], data, stackHeight };
}
