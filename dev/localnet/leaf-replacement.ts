import {
  findLeafAssetIdPda,
  getBurnV2InstructionDataSerializer,
  getTransferV2InstructionDataSerializer,
  hashAssetData,
  hashCollection,
  type TransferV2InstructionData,
} from "@metaplex-foundation/mpl-bubblegum";
import { defaultPublicKey, publicKey, unwrapOption } from "@metaplex-foundation/umi";
import { InstructionFailure, type AccountOverlay, type EmulatedCall, type EmulatedInstruction } from "./account-overlay.ts";
import {
  COMPRESSION_PROGRAM_ID,
  addresses,
  callCore,
  changeTree,
  logLeaf,
  readConfig,
  readTree,
} from "./bubblegum-accounts.ts";
import { accountAt, countCollectionBurn, optionalAccountAt, readCollectionRules } from "./core-emulator.ts";
import { concatBytes, encodeU32, hashLeaf, type Leaf } from "./leaf-encoding.ts";
import { bytesOfAddress } from "./transaction-encoding.ts";

const transferSerializer = getTransferV2InstructionDataSerializer();
const burnSerializer = getBurnV2InstructionDataSerializer();
const NO_ARGS = { root: new Uint8Array(32), dataHash: new Uint8Array(32), creatorHash: new Uint8Array(32), nonce: 0, index: 0 };

/** First bytes of transferV2. */
export const TRANSFER_DISCRIMINATOR = transferSerializer.serialize(NO_ARGS).slice(0, 8);
/** First bytes of burnV2. */
export const BURN_DISCRIMINATOR = burnSerializer.serialize(NO_ARGS).slice(0, 8);

const FROZEN = 1 | 2;
const NON_TRANSFERABLE = 4;
const EMPTY_LEAF = new Uint8Array(32);

/** What both instructions name: their arguments are the same, their accounts are not at the same places. */
interface Replacement {
  readonly args: Omit<TransferV2InstructionData, "discriminator">;
  readonly config: string;
  readonly tree: string;
  readonly collection: string | undefined;
  /** Nodes in the place of accounts. */
  readonly proof: readonly string[];
}

/**
 * Accounts: 0 config, 1 payer, 2 authority (optional: the payer), 3 owner, 4 delegate (optional: the owner), 5 new owner, 6 tree,
 * 7 collection (optional), 8–10 programs, then the proof.
 */
export function transfer(instruction: EmulatedInstruction, overlay: AccountOverlay): EmulatedCall[] {
  const replacement: Replacement = {
    args: transferSerializer.deserialize(instruction.data)[0],
    config: accountAt(instruction, 0),
    tree: accountAt(instruction, 6),
    collection: optionalAccountAt(instruction, 7),
    proof: proofAfter(instruction, 11),
  };
  const previous = readPrevious(instruction, overlay, replacement);
  assertMayReplace(instruction, overlay, { ...replacement, leaf: previous, permanent: "permanentTransferDelegate" });
  const owner = accountAt(instruction, 5);
  const next = { ...previous, owner, delegate: owner };
  return [logLeaf(next), ...replace(overlay, replacement, previous, hashLeaf(next))];
}

/** Accounts as {@link transfer} without the new owner: 5 tree, 6 collection (optional), 7 signer of the call to mpl-core, 8–11 programs. */
export function burn(instruction: EmulatedInstruction, overlay: AccountOverlay): EmulatedCall[] {
  const replacement: Replacement = {
    args: burnSerializer.deserialize(instruction.data)[0],
    config: accountAt(instruction, 0),
    tree: accountAt(instruction, 5),
    collection: optionalAccountAt(instruction, 6),
    proof: proofAfter(instruction, 12),
  };
  const previous = readPrevious(instruction, overlay, replacement);
  assertMayReplace(instruction, overlay, { ...replacement, leaf: previous, permanent: "permanentBurnDelegate" });
  const calls: EmulatedCall[] = [];
  if (replacement.collection !== undefined) {
    countCollectionBurn(replacement.collection, overlay);
    calls.push(callCore("one less", replacement.collection, accountAt(instruction, 7)));
  }
  return [...calls, ...replace(overlay, replacement, previous, EMPTY_LEAF)];
}

function proofAfter({ accounts }: EmulatedInstruction, fixedCount: number): string[] {
  return accounts.slice(fixedCount).map(({ address }) => address);
}

/** The leaf that the instruction says is there; whether it is, the tree finds out. */
function readPrevious(
  instruction: EmulatedInstruction,
  overlay: AccountOverlay,
  { args, tree, collection }: Replacement,
): Leaf {
  readConfig(overlay, accountAt(instruction, 0), tree);
  const owner = accountAt(instruction, 3);
  return {
    assetId: findLeafAssetIdPda(addresses, { merkleTree: publicKey(tree), leafIndex: args.nonce })[0],
    owner,
    delegate: optionalAccountAt(instruction, 4) ?? owner,
    nonce: args.nonce,
    dataHash: args.dataHash,
    creatorHash: args.creatorHash,
    collectionHash: hashCollection(collection === undefined ? defaultPublicKey() : publicKey(collection)),
    assetDataHash: unwrapOption(args.assetDataHash) ?? hashAssetData(undefined),
    flags: unwrapOption(args.flags) ?? 0,
  };
}

/**
 * Owner and delegate may replace a leaf when neither it nor its collection is frozen, the collection's permanent delegate then too.
 * In the order in which the real program asks, which decides about the error.
 */
function assertMayReplace(
  instruction: EmulatedInstruction,
  overlay: AccountOverlay,
  asked: Pick<Replacement, "collection"> & {
    readonly leaf: Leaf;
    readonly permanent: "permanentTransferDelegate" | "permanentBurnDelegate";
  },
): void {
  const { leaf, collection, permanent } = asked;
  const authority = optionalAccountAt(instruction, 2) ?? accountAt(instruction, 1);
  if (!instruction.accounts.some(({ address, isSigner }) => address === authority && isSigner)) {
    throw new InstructionFailure(3010, "AccountNotSigner");
  }
  const rules = collection === undefined ? undefined : readCollectionRules(collection, permanent, overlay);
  if (rules?.delegate !== authority) {
    if (rules?.isFrozen === true) throw new InstructionFailure(6048, "CollectionIsFrozen");
    if (authority !== leaf.owner && authority !== leaf.delegate) throw new InstructionFailure(6047, "InvalidAuthority");
    if ((leaf.flags & FROZEN) !== 0) throw new InstructionFailure(6045, "AssetIsFrozen");
  }
  if (permanent === "permanentTransferDelegate" && (leaf.flags & NON_TRANSFERABLE) !== 0) {
    throw new InstructionFailure(6046, "AssetIsNonTransferable");
  }
}

function replace(
  overlay: AccountOverlay,
  { args, config, tree, proof }: Replacement,
  previous: Leaf,
  next: Uint8Array,
): EmulatedCall[] {
  const merkle = readTree(overlay, tree);
  const nodes = proof.map((node) => bytesOfAddress(node));
  const change = merkle.replace({ root: args.root, previous: hashLeaf(previous), next, proof: nodes, index: args.index });
  overlay.write(tree, merkle.bytes, COMPRESSION_PROGRAM_ID);
  const replaced = concatBytes(args.root, hashLeaf(previous), next, encodeU32(args.index));
  return changeTree({ address: tree, config, merkle, change }, "replace", replaced, proof);
}
