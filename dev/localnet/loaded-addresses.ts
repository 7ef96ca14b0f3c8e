import { address, type Address } from "@solana/kit";
import type { LiteSVM } from "litesvm";
import {
  encodeBase58,
  type CompiledInstruction,
  type CompiledMessage,
  type TransactionErrorJson,
} from "./transaction-encoding.ts";

/** The accounts that a transaction takes from address lookup tables. They follow its own in every list. */
export interface LoadedAddresses {
  readonly writable: readonly string[];
  readonly readonly: readonly string[];
}

/** Those of a transaction that names no table. */
export const NOTHING_LOADED: LoadedAddresses = { writable: [], readonly: [] };

/** Owner of every table. */
export const LOOKUP_TABLE_PROGRAM_ID = "AddressLookupTab1e1111111111111111111111111";

/**
 * An address lookup table, little-endian: u32 kind, u64 slot of its deactivation (all ones: none), u64 slot of the last extension, u8
 * place of the first address that it added, an optional authority (1 and 32), two bytes of padding, then the addresses.
 */
const KIND_TABLE = 1;
const EXTENDED_SLOT_OFFSET = 12;
const EXTENDED_START_OFFSET = 20;
const DEACTIVATION_OFFSET = 4;
const ADDRESSES_OFFSET = 56;
const ADDRESS_BYTES = 32;
const NEVER = 2n ** 64n - 1n;

/** Why a transaction's tables do not give what it wants: it can't be in a block then. */
export class LookupRefusal extends Error {
  readonly error: TransactionErrorJson;

  constructor(error: string) {
    super(error);
    this.error = error;
  }
}

/**
 * Reads what a message takes from tables, as the runtime does before it runs a transaction.
 * @param slot of the block that it is to be in; what was added to a table in that slot is not there yet.
 * @throws LookupRefusal
 */
export function loadAddresses(svm: LiteSVM, message: CompiledMessage, slot: bigint): LoadedAddresses {
  const writable: string[] = [];
  const readonly: string[] = [];
  for (const { lookupTableAddress, writableIndexes, readonlyIndexes } of message.addressTableLookups) {
    const addresses = readTable(svm, lookupTableAddress, slot);
    const pick = (place: number): string => {
      const found = addresses[place];
      if (found === undefined) throw new LookupRefusal("InvalidAddressLookupTableIndex");
      return found;
    };
    writable.push(...writableIndexes.map(pick));
    readonly.push(...readonlyIndexes.map(pick));
  }
  return { writable, readonly };
}

/** As {@link loadAddresses}, but undefined where a table does not give what is wanted. */
export function findLoadedAddresses(svm: LiteSVM, message: CompiledMessage, slot: bigint): LoadedAddresses | undefined {
  try {
    return loadAddresses(svm, message, slot);
  } catch (error) {
    if (error instanceof LookupRefusal) return undefined;
    throw error;
  }
}

function readTable(svm: LiteSVM, table: Address, slot: bigint): string[] {
  const account = svm.getAccount(table);
  if (!account.exists) throw new LookupRefusal("AddressLookupTableNotFound");
  if (account.programAddress !== LOOKUP_TABLE_PROGRAM_ID) throw new LookupRefusal("InvalidAddressLookupTableOwner");
  const { data } = account;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length < ADDRESSES_OFFSET || view.getUint32(0, true) !== KIND_TABLE) {
    throw new LookupRefusal("InvalidAddressLookupTableData");
  }
  // On a cluster it stays good for 512 slots more; here a table that is being closed is closed.
  if (view.getBigUint64(DEACTIVATION_OFFSET, true) !== NEVER) throw new LookupRefusal("AddressLookupTableNotFound");
  const count = (data.length - ADDRESSES_OFFSET) / ADDRESS_BYTES;
  const isSettled = view.getBigUint64(EXTENDED_SLOT_OFFSET, true) < slot;
  const usableCount = isSettled ? count : (data[EXTENDED_START_OFFSET] ?? 0);
  return Array.from({ length: usableCount }, (_, place) => {
    const offset = ADDRESSES_OFFSET + place * ADDRESS_BYTES;
    return encodeBase58(data.slice(offset, offset + ADDRESS_BYTES));
  });
}

/** Every account of a transaction, in the order that its instructions count in. */
export function listAccounts(message: CompiledMessage, { writable, readonly }: LoadedAddresses): string[] {
  return [...message.staticAccounts, ...writable, ...readonly];
}

/** The message with every account its own: what it took from tables stands among those of the same rights. */
export function nameAllAccounts(message: CompiledMessage, loaded: LoadedAddresses): CompiledMessage {
  if (message.addressTableLookups.length === 0) return message;
  const { header, staticAccounts } = message;
  const firstReadonly = staticAccounts.length - header.numReadonlyNonSignerAccounts;
  const staticOf = [...staticAccounts];
  const accounts = [
    ...staticOf.slice(0, firstReadonly),
    ...loaded.writable.map((key) => address(key)),
    ...staticOf.slice(firstReadonly),
    ...loaded.readonly.map((key) => address(key)),
  ];
  const placeOf = new Map(accounts.map((key, place) => [String(key), place]));
  const before = listAccounts(message, loaded);
  const move = (place: number): number => placeOf.get(before[place] ?? "") ?? -1;
  return {
    ...message,
    header: { ...header, numReadonlyNonSignerAccounts: header.numReadonlyNonSignerAccounts + loaded.readonly.length },
    staticAccounts: accounts,
    addressTableLookups: [],
    instructions: message.instructions.map(({ programAddressIndex, accountIndices = [], ...rest }): CompiledInstruction => ({
      ...rest,
      programAddressIndex: move(programAddressIndex),
      accountIndices: accountIndices.map(move),
    })),
  };
}
