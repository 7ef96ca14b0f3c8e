import {
  deserializeCollectionV1,
  getBasePluginAuthoritySerializer,
  getCreateCollectionV2InstructionDataSerializer,
  getPluginSerializer,
  type BasePluginAuthority,
  type CollectionV1,
  type CreateCollectionV2InstructionDataArgs,
  type Plugin,
} from "@metaplex-foundation/mpl-core";
import { isOption, lamports, publicKey, unwrapOption } from "@metaplex-foundation/umi";
import { InstructionFailure, type AccountOverlay, type EmulatedInstruction, type MoneyMove } from "./account-overlay.ts";
import { concatBytes, encodeU32, encodeU64 } from "./leaf-encoding.ts";
import { bytesOfAddress } from "./transaction-encoding.ts";

/** mpl-core. Emulated: creating a collection, the counters that minting and burning move, and permanent delegates. */
export const CORE_PROGRAM_ID = "CoREENxT6tW1HoK8ypY1SxRMZTcVPm7R94rH4PZNhX7d";

/** mpl-core gives the plugin `BubblegumV2` to the Bubblegum program itself. */
const BUBBLEGUM_AUTHORITY = publicKey("BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY");

const CREATE_COLLECTION_V2 = 21;
/** First bytes of what mpl-core stores. */
const PLUGIN_HEADER_KEY = 3;
const PLUGIN_REGISTRY_KEY = 4;
const COLLECTION_KEY = 5;
const PLUGIN_HEADER_BYTES = 9;
const NAME_OFFSET = 33;

/** Places of the accounts of createCollectionV2. */
const COLLECTION = 0;
const UPDATE_AUTHORITY = 1;
const PAYER = 2;

/** The lamports that an instruction moves. */
export function planCoreMoney(instruction: EmulatedInstruction, rentOf: (byteCount: number) => bigint): MoneyMove[] {
  const data = encodeNewCollection(instruction);
  return [
    {
      kind: "create",
      from: accountAt(instruction, PAYER),
      created: accountAt(instruction, COLLECTION),
      lamports: rentOf(data.length),
      space: data.length,
      owner: CORE_PROGRAM_ID,
    },
  ];
}

/** Runs an instruction on the overlay. @throws InstructionFailure */
export function runCore(instruction: EmulatedInstruction, overlay: AccountOverlay): void {
  overlay.write(accountAt(instruction, COLLECTION), encodeNewCollection(instruction), CORE_PROGRAM_ID);
}

/**
 * The account of a new collection; texts and lists have their u32 length before them.
 *
 * | part | content |
 * |---|---|
 * | collection | key 5, update authority, name, uri, u32 minted, u32 size |
 * | plugin header | key 3, u64 offset of the registry |
 * | plugins | each in turn |
 * | plugin registry | key 4, the list of plugins (u8 type, authority, u64 offset), the empty list of external plugins |
 */
function encodeNewCollection(instruction: EmulatedInstruction): Uint8Array {
  if (instruction.data[0] !== CREATE_COLLECTION_V2) {
    throw new InstructionFailure("InvalidInstructionData", "only createCollectionV2 of mpl-core is emulated");
  }
  const [args] = getCreateCollectionV2InstructionDataSerializer().deserialize(instruction.data);
  const updateAuthority = optionalAccountAt(instruction, UPDATE_AUTHORITY) ?? accountAt(instruction, PAYER);
  const collection = concatBytes(
    Uint8Array.of(COLLECTION_KEY),
    bytesOfAddress(updateAuthority),
    encodeText(args.name),
    encodeText(args.uri),
    encodeU32(0),
    encodeU32(0),
  );
  const plugins = listPlugins(args);
  if (plugins.length === 0) return collection;

  let offset = collection.length + PLUGIN_HEADER_BYTES;
  const bodies: Uint8Array[] = [];
  const records: Uint8Array[] = [];
  for (const { plugin, authority } of plugins) {
    const body = getPluginSerializer().serialize(plugin);
    bodies.push(body);
    // A plugin's own first byte is its type.
    records.push(
      concatBytes(body.slice(0, 1), getBasePluginAuthoritySerializer().serialize(authority), encodeU64(BigInt(offset))),
    );
    offset += body.length;
  }
  const header = concatBytes(Uint8Array.of(PLUGIN_HEADER_KEY), encodeU64(BigInt(offset)));
  const registry = concatBytes(Uint8Array.of(PLUGIN_REGISTRY_KEY), encodeU32(records.length), ...records, encodeU32(0));
  return concatBytes(collection, header, ...bodies, registry);
}

function encodeText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return concatBytes(encodeU32(bytes.length), bytes);
}

function listPlugins(args: CreateCollectionV2InstructionDataArgs): { plugin: Plugin; authority: BasePluginAuthority }[] {
  const plugins = isOption(args.plugins) ? (unwrapOption(args.plugins) ?? []) : (args.plugins ?? []);
  return plugins.map((pair) => {
    const authority = isOption(pair.authority) ? unwrapOption(pair.authority) : pair.authority;
    // What was just deserialised has every field; the type of arguments also allows shorter forms.
    const plugin = pair.plugin as Plugin;
    return { plugin, authority: authority ?? defaultAuthorityOf(plugin) };
  });
}

function defaultAuthorityOf(plugin: Plugin): BasePluginAuthority {
  if (plugin.__kind === "BubblegumV2") return { __kind: "Address", address: BUBBLEGUM_AUTHORITY };
  return { __kind: "UpdateAuthority" };
}

/** Counts one more asset in a collection. @throws InstructionFailure unless `authority` may add to it. */
export function countCollectionMint(collectionAddress: string, authority: string, overlay: AccountOverlay): void {
  const data = readCollection(collectionAddress, overlay);
  if (!mayAddTo(data, authority)) throw new InstructionFailure(6028, "InvalidCollectionAuthority");
  const { view, mintedOffset, sizeOffset } = locateCounters(data);
  view.setUint32(mintedOffset, view.getUint32(mintedOffset, true) + 1, true);
  view.setUint32(sizeOffset, view.getUint32(sizeOffset, true) + 1, true);
  overlay.write(collectionAddress, data, CORE_PROGRAM_ID);
}

/** Counts one asset less in a collection. @throws InstructionFailure when there is no such collection. */
export function countCollectionBurn(collectionAddress: string, overlay: AccountOverlay): void {
  const data = readCollection(collectionAddress, overlay);
  const { view, sizeOffset } = locateCounters(data);
  view.setUint32(sizeOffset, view.getUint32(sizeOffset, true) - 1, true);
  overlay.write(collectionAddress, data, CORE_PROGRAM_ID);
}

/**
 * Who a collection's permanent delegate of this kind is, undefined when it has none, and whether the collection is frozen as a whole.
 * @throws InstructionFailure when there is no such collection.
 */
export function readCollectionRules(
  collectionAddress: string,
  kind: "permanentTransferDelegate" | "permanentBurnDelegate",
  overlay: AccountOverlay,
): { readonly delegate: string | undefined; readonly isFrozen: boolean } {
  const collection = decodeCollection(readCollection(collectionAddress, overlay));
  const authority = collection[kind]?.authority;
  return {
    delegate: authority?.type === "UpdateAuthority" ? collection.updateAuthority : authority?.address,
    isFrozen: collection.permanentFreezeDelegate?.frozen === true,
  };
}

function readCollection(collectionAddress: string, overlay: AccountOverlay): Uint8Array {
  const { data, owner } = overlay.read(collectionAddress);
  if (owner !== CORE_PROGRAM_ID || data[0] !== COLLECTION_KEY) {
    throw new InstructionFailure(2004, "ConstraintOwner: this account is no collection");
  }
  return data;
}

function locateCounters(data: Uint8Array): { view: DataView; mintedOffset: number; sizeOffset: number } {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const uriOffset = NAME_OFFSET + 4 + view.getUint32(NAME_OFFSET, true);
  const mintedOffset = uriOffset + 4 + view.getUint32(uriOffset, true);
  return { view, mintedOffset, sizeOffset: mintedOffset + 4 };
}

/** The collection's owner may, and whoever its update delegate plugin names. */
function mayAddTo(data: Uint8Array, authority: string): boolean {
  const { updateAuthority, updateDelegate } = decodeCollection(data);
  if (updateAuthority === authority) return true;
  if (updateDelegate === undefined) return false;
  const isNamed = updateDelegate.authority.type === "Address" && updateDelegate.authority.address === authority;
  return isNamed || updateDelegate.additionalDelegates.some((delegate) => delegate === authority);
}

/** A collection with its plugins, from the bytes of its account. */
function decodeCollection(data: Uint8Array): CollectionV1 {
  const account = { publicKey: publicKey(CORE_PROGRAM_ID), owner: publicKey(CORE_PROGRAM_ID), executable: false };
  return deserializeCollectionV1({ ...account, lamports: lamports(0), data });
}

/** The address at a place. @throws InstructionFailure when the instruction names too few accounts. */
export function accountAt(instruction: EmulatedInstruction, place: number): string {
  const account = instruction.accounts[place];
  if (account === undefined) throw new InstructionFailure("NotEnoughAccountKeys", `account ${place} is missing`);
  return account.address;
}

/** The address at a place, or undefined for an optional account that was left out. */
export function optionalAccountAt(instruction: EmulatedInstruction, place: number): string | undefined {
  const account = accountAt(instruction, place);
  return account === instruction.programId ? undefined : account;
}

/** True when two addresses in bytes and text are one. */
export function isAddress(bytes: Uint8Array, text: string): boolean {
  return Buffer.compare(bytes, bytesOfAddress(text)) === 0;
}
