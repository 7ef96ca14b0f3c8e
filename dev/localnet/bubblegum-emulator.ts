import {
  findLeafAssetIdPda,
  findTreeConfigPda,
  getCreateTreeConfigV2InstructionDataSerializer,
  getMintV2InstructionDataSerializer,
  hashAssetData,
  hashCollection,
  hashMetadataCreators,
  hashMetadataDataV2,
} from "@metaplex-foundation/mpl-bubblegum";
import { createNoopSigner, defaultPublicKey, publicKey, unwrapOption } from "@metaplex-foundation/umi";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient } from "#chain/rpc-client";
import {
  InstructionFailure,
  type AccountOverlay,
  type EmulatedCall,
  type EmulatedInstruction,
  type MoneyMove,
} from "./account-overlay.ts";
import { ConcurrentMerkleTree, type TreeChange } from "./concurrent-merkle-tree.ts";
import { CORE_PROGRAM_ID, accountAt, countCollectionMint, isAddress, optionalAccountAt } from "./core-emulator.ts";
import { concatBytes, encodeChangeEvent, encodeLeafEvent, encodeU64, hashLeaf, type Leaf } from "./leaf-encoding.ts";
import { bytesOfAddress } from "./transaction-encoding.ts";

/** Bubblegum V2. Emulated: createTreeConfigV2 and mintV2, byte for byte what the real programs leave (tests compare them). */
export const BUBBLEGUM_PROGRAM_ID = "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY";

const COMPRESSION_PROGRAM_ID = "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW";
const NOOP_PROGRAM_ID = "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3";
const MINT_FEE_LAMPORTS = 90_000n;
const MAX_NAME_BYTES = 32;
const MAX_URI_BYTES = 200;
const MAX_BASIS_POINTS = 10_000;

/** Bubblegum's config of a tree: see the table at {@link createTree}. */
const CONFIG_BYTES = 96;
const CONFIG_DISCRIMINATOR = Uint8Array.of(122, 245, 175, 248, 171, 34, 0, 207);
const CREATOR_OFFSET = 8;
const DELEGATE_OFFSET = 40;
const CAPACITY_OFFSET = 72;
const MINTED_OFFSET = 80;
const IS_PUBLIC_OFFSET = 88;

/** Calls mpl-core's "add to collection" with one more asset, as Bubblegum does. */
const CORE_COUNT_DATA = Uint8Array.of(32, 0, 1, 0, 0, 0);

// Only to derive addresses: it never calls anyone.
const addresses = createLeanUmi(createRpcClient("http://nobody.invalid"), createNoopSigner(defaultPublicKey()));

const createSerializer = getCreateTreeConfigV2InstructionDataSerializer();
const mintSerializer = getMintV2InstructionDataSerializer();
const createDiscriminator = createSerializer.serialize({ maxDepth: 3, maxBufferSize: 8 }).slice(0, 8);
const mintDiscriminator = mintSerializer
  .serialize({ metadata: { name: "", uri: "", sellerFeeBasisPoints: 0, creators: [], collection: null } })
  .slice(0, 8);

function kindOf({ data }: EmulatedInstruction): "create" | "mint" {
  if (startsWith(data, createDiscriminator)) return "create";
  if (startsWith(data, mintDiscriminator)) return "mint";
  throw new InstructionFailure("InvalidInstructionData", "this instruction of Bubblegum is not emulated");
}

/** The lamports that an instruction moves. */
export function planBubblegumMoney(instruction: EmulatedInstruction, rentOf: (byteCount: number) => bigint): MoneyMove[] {
  const config = accountAt(instruction, 0);
  if (kindOf(instruction) === "mint") {
    return [{ kind: "transfer", from: accountAt(instruction, 1), to: config, lamports: MINT_FEE_LAMPORTS }];
  }
  return [{ kind: "transfer", from: accountAt(instruction, 2), to: config, lamports: rentOf(CONFIG_BYTES) }];
}

/** Runs an instruction on the overlay. @returns the calls it makes. @throws InstructionFailure */
export function runBubblegum(instruction: EmulatedInstruction, overlay: AccountOverlay, slot: bigint): EmulatedCall[] {
  return kindOf(instruction) === "create" ? createTree(instruction, overlay, slot) : mint(instruction, overlay);
}

/**
 * Accounts: 0 config, 1 tree, 2 payer, 3 creator (optional).
 *
 * | bytes of the config | content |
 * |---|---|
 * | 0–7 | Anchor discriminator |
 * | 8–39, 40–71 | creator, delegate |
 * | 72–79, 80–87 | u64 capacity, u64 minted |
 * | 88 | 1 when anyone may mint |
 * | 89, 90 | 1 decompression disabled, 1 version V2 |
 * | 91–95 | padding |
 */
function createTree(instruction: EmulatedInstruction, overlay: AccountOverlay, slot: bigint): EmulatedCall[] {
  const [args] = createSerializer.deserialize(instruction.data);
  const config = accountAt(instruction, 0);
  const tree = accountAt(instruction, 1);
  const creator = bytesOfAddress(optionalAccountAt(instruction, 3) ?? accountAt(instruction, 2));
  const account = overlay.read(tree);
  if (account.owner !== COMPRESSION_PROGRAM_ID) throw new InstructionFailure(3007, "AccountOwnedByWrongProgram");
  if (account.data.some((byte) => byte !== 0))
    throw new InstructionFailure("AccountAlreadyInitialized", "the tree is not empty");
  const merkle = ConcurrentMerkleTree.initialize(account.data, {
    depth: args.maxDepth,
    bufferSize: args.maxBufferSize,
    authority: bytesOfAddress(config),
    slot,
  });
  overlay.write(tree, merkle.bytes, COMPRESSION_PROGRAM_ID);
  const isPublic = unwrapOption(args.public) === true;
  const flags = Uint8Array.of(isPublic ? 1 : 0, 1, 1, 0, 0, 0, 0, 0);
  const capacity = encodeU64(2n ** BigInt(args.maxDepth));
  overlay.write(
    config,
    concatBytes(CONFIG_DISCRIMINATOR, creator, creator, capacity, encodeU64(0n), flags),
    BUBBLEGUM_PROGRAM_ID,
  );
  return [logChange(tree, merkle, merkle.describeEmpty())];
}

/**
 * Accounts: 0 config, 1 payer, 2 tree creator or delegate (optional: the payer), 3 collection authority (optional: 2),
 * 4 owner, 5 delegate (optional: the owner), 6 tree, 7 collection (optional), 8 signer of the call to mpl-core.
 */
function mint(instruction: EmulatedInstruction, overlay: AccountOverlay): EmulatedCall[] {
  const [args] = mintSerializer.deserialize(instruction.data);
  const { metadata } = args;
  const config = accountAt(instruction, 0);
  const tree = accountAt(instruction, 6);
  const collection = optionalAccountAt(instruction, 7);
  const authority = optionalAccountAt(instruction, 2) ?? accountAt(instruction, 1);
  const configBytes = readConfig(overlay, config, tree);
  assertMayMint(configBytes, authority);
  assertMetadata(metadata);
  const calls: EmulatedCall[] = [];
  if (collection !== undefined) {
    const named = unwrapOption(metadata.collection);
    if (named === null) throw new InstructionFailure(6021, "CollectionNotFound");
    if (named !== collection) throw new InstructionFailure(6036, "CollectionMismatch");
    countCollectionMint(collection, optionalAccountAt(instruction, 3) ?? authority, overlay);
    calls.push({
      programId: CORE_PROGRAM_ID,
      accounts: [collection, accountAt(instruction, 8)],
      data: CORE_COUNT_DATA,
      stackHeight: 2,
    });
  }
  const view = new DataView(configBytes.buffer, configBytes.byteOffset, configBytes.length);
  const nonce = view.getBigUint64(MINTED_OFFSET, true);
  if (nonce >= view.getBigUint64(CAPACITY_OFFSET, true)) throw new InstructionFailure(6017, "InsufficientMintCapacity");
  const account = overlay.read(tree);
  if (account.owner !== COMPRESSION_PROGRAM_ID) throw new InstructionFailure(3007, "AccountOwnedByWrongProgram");
  const owner = accountAt(instruction, 4);
  const leaf: Leaf = {
    assetId: findLeafAssetIdPda(addresses, { merkleTree: publicKey(tree), leafIndex: nonce })[0],
    owner,
    delegate: optionalAccountAt(instruction, 5) ?? owner,
    nonce,
    dataHash: hashMetadataDataV2(metadata),
    creatorHash: hashMetadataCreators(metadata.creators),
    collectionHash: hashCollection(unwrapOption(metadata.collection) ?? defaultPublicKey()),
    assetDataHash: hashAssetData(undefined),
    flags: 0,
  };
  const merkle = new ConcurrentMerkleTree(account.data);
  const change = merkle.append(hashLeaf(leaf));
  view.setBigUint64(MINTED_OFFSET, nonce + 1n, true);
  overlay.write(config, configBytes, BUBBLEGUM_PROGRAM_ID);
  overlay.write(tree, merkle.bytes, COMPRESSION_PROGRAM_ID);
  return [...calls, logBytes(encodeLeafEvent(leaf), 2), logChange(tree, merkle, change)];
}

function readConfig(overlay: AccountOverlay, config: string, tree: string): Uint8Array {
  const [expected] = findTreeConfigPda(addresses, { merkleTree: publicKey(tree) });
  if (config !== expected) throw new InstructionFailure(2006, "ConstraintSeeds");
  const { data } = overlay.read(config);
  if (data.length !== CONFIG_BYTES) throw new InstructionFailure(3012, "AccountNotInitialized");
  return data;
}

function assertMayMint(config: Uint8Array, authority: string): void {
  const isCreator = isAddress(config.slice(CREATOR_OFFSET, DELEGATE_OFFSET), authority);
  const isDelegate = isAddress(config.slice(DELEGATE_OFFSET, CAPACITY_OFFSET), authority);
  const isPublic = config[IS_PUBLIC_OFFSET] === 1;
  if (!isCreator && !isDelegate && !isPublic) throw new InstructionFailure(6016, "TreeAuthorityIncorrect");
}

function assertMetadata(metadata: {
  readonly name: string;
  readonly uri: string;
  readonly sellerFeeBasisPoints: number;
}): void {
  if (metadata.sellerFeeBasisPoints > MAX_BASIS_POINTS) throw new InstructionFailure(6015, "MetadataBasisPointsTooHigh");
  if (Buffer.byteLength(metadata.name) > MAX_NAME_BYTES) throw new InstructionFailure(6012, "MetadataNameTooLong");
  if (Buffer.byteLength(metadata.uri) > MAX_URI_BYTES) throw new InstructionFailure(6014, "MetadataUriTooLong");
}

function logChange(tree: string, merkle: ConcurrentMerkleTree, change: TreeChange): EmulatedCall {
  return logBytes(encodeChangeEvent(tree, merkle.depth, merkle.seq, change), 3);
}

function logBytes(data: Uint8Array, stackHeight: number): EmulatedCall {
  return { programId: NOOP_PROGRAM_ID, accounts: [], data, stackHeight };
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}
