import {
  findLeafAssetIdPda,
  getCreateTreeConfigV2InstructionDataSerializer,
  getMintV2InstructionDataSerializer,
  getSetTreeDelegateInstructionDataSerializer,
  hashAssetData,
  hashCollection,
  hashMetadataCreators,
  hashMetadataDataV2,
} from "@metaplex-foundation/mpl-bubblegum";
import { defaultPublicKey, publicKey, unwrapOption } from "@metaplex-foundation/umi";
import {
  InstructionFailure,
  type AccountOverlay,
  type EmulatedCall,
  type EmulatedInstruction,
  type MoneyMove,
} from "./account-overlay.ts";
import {
  BUBBLEGUM_PROGRAM_ID,
  COMPRESSION_PROGRAM_ID,
  CONFIG_BYTES,
  addresses,
  callCore,
  changeTree,
  logLeaf,
  readConfig,
  readTree,
} from "./bubblegum-accounts.ts";
import { ConcurrentMerkleTree } from "./concurrent-merkle-tree.ts";
import { accountAt, countCollectionMint, isAddress, optionalAccountAt } from "./core-emulator.ts";
import { concatBytes, encodeU32, encodeU64, hashLeaf, type Leaf } from "./leaf-encoding.ts";
import { BURN_DISCRIMINATOR, TRANSFER_DISCRIMINATOR, burn, transfer } from "./leaf-replacement.ts";
import { bytesOfAddress } from "./transaction-encoding.ts";

const MINT_FEE_LAMPORTS = 90_000n;
const TRANSFER_FEE_LAMPORTS = 6_000n;
const MAX_NAME_BYTES = 32;
const MAX_URI_BYTES = 200;
const MAX_BASIS_POINTS = 10_000;

/** Places in Bubblegum's config of a tree: see the table at {@link createTree}. */
const CONFIG_DISCRIMINATOR = Uint8Array.of(122, 245, 175, 248, 171, 34, 0, 207);
const CREATOR_OFFSET = 8;
const DELEGATE_OFFSET = 40;
const CAPACITY_OFFSET = 72;
const MINTED_OFFSET = 80;
const IS_PUBLIC_OFFSET = 88;

const createSerializer = getCreateTreeConfigV2InstructionDataSerializer();
const mintSerializer = getMintV2InstructionDataSerializer();
const createDiscriminator = createSerializer.serialize({ maxDepth: 3, maxBufferSize: 8 }).slice(0, 8);
const mintDiscriminator = mintSerializer
  .serialize({ metadata: { name: "", uri: "", sellerFeeBasisPoints: 0, creators: [], collection: null } })
  .slice(0, 8);
const delegateDiscriminator = getSetTreeDelegateInstructionDataSerializer().serialize({});

type Kind = "create" | "delegate" | "mint" | "transfer" | "burn";

const KINDS: readonly (readonly [Uint8Array, Kind])[] = [
  [createDiscriminator, "create"],
  [delegateDiscriminator, "delegate"],
  [mintDiscriminator, "mint"],
  [TRANSFER_DISCRIMINATOR, "transfer"],
  [BURN_DISCRIMINATOR, "burn"],
];

function kindOf({ data }: EmulatedInstruction): Kind {
  const kind = KINDS.find(([discriminator]) => startsWith(data, discriminator))?.[1];
  if (kind === undefined)
    throw new InstructionFailure("InvalidInstructionData", "this instruction of Bubblegum is not emulated");
  return kind;
}

/** The lamports that an instruction moves. */
export function planBubblegumMoney(instruction: EmulatedInstruction, rentOf: (byteCount: number) => bigint): MoneyMove[] {
  const pay = (payer: number, amount: bigint): MoneyMove[] => [
    { kind: "transfer", from: accountAt(instruction, payer), to: accountAt(instruction, 0), lamports: amount },
  ];
  switch (kindOf(instruction)) {
    case "create":
      return pay(2, rentOf(CONFIG_BYTES));
    case "mint":
      return pay(1, MINT_FEE_LAMPORTS);
    case "transfer":
      return pay(1, TRANSFER_FEE_LAMPORTS);
    case "delegate":
    case "burn":
      return [];
  }
}

/**
 * Runs an instruction of Bubblegum V2 on the overlay. Emulated: createTreeConfigV2, setTreeDelegate, mintV2, transferV2 and burnV2, byte for byte
 * what the real programs leave (tests compare them). @returns the calls it makes. @throws InstructionFailure
 */
export function runBubblegum(instruction: EmulatedInstruction, overlay: AccountOverlay, slot: bigint): EmulatedCall[] {
  switch (kindOf(instruction)) {
    case "create":
      return createTree(instruction, overlay, slot);
    case "delegate":
      return setTreeDelegate(instruction, overlay);
    case "mint":
      return mint(instruction, overlay);
    case "transfer":
      return transfer(instruction, overlay);
    case "burn":
      return burn(instruction, overlay);
  }
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
  const shape = concatBytes(encodeU32(args.maxDepth), encodeU32(args.maxBufferSize));
  return changeTree({ address: tree, config, merkle, change: merkle.describeEmpty() }, "init", shape);
}

/** Accounts: 0 config, 1 creator, 2 new delegate, 3 tree. */
function setTreeDelegate(instruction: EmulatedInstruction, overlay: AccountOverlay): EmulatedCall[] {
  const config = accountAt(instruction, 0);
  const configBytes = readConfig(overlay, config, accountAt(instruction, 3));
  if (!isAddress(configBytes.slice(CREATOR_OFFSET, DELEGATE_OFFSET), accountAt(instruction, 1))) {
    throw new InstructionFailure(2001, "ConstraintHasOne: only the tree's creator may name its delegate");
  }
  if (instruction.accounts[1]?.isSigner !== true) throw new InstructionFailure(3010, "AccountNotSigner");
  configBytes.set(bytesOfAddress(accountAt(instruction, 2)), DELEGATE_OFFSET);
  overlay.write(config, configBytes, BUBBLEGUM_PROGRAM_ID);
  return [];
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
    calls.push(callCore("one more", collection, accountAt(instruction, 8)));
  }
  const view = new DataView(configBytes.buffer, configBytes.byteOffset, configBytes.length);
  const nonce = view.getBigUint64(MINTED_OFFSET, true);
  if (nonce >= view.getBigUint64(CAPACITY_OFFSET, true)) throw new InstructionFailure(6017, "InsufficientMintCapacity");
  const merkle = readTree(overlay, tree);
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
  const change = merkle.append(hashLeaf(leaf));
  view.setBigUint64(MINTED_OFFSET, nonce + 1n, true);
  overlay.write(config, configBytes, BUBBLEGUM_PROGRAM_ID);
  overlay.write(tree, merkle.bytes, COMPRESSION_PROGRAM_ID);
  return [...calls, logLeaf(leaf), ...changeTree({ address: tree, config, merkle, change }, "append", hashLeaf(leaf))];
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

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}
