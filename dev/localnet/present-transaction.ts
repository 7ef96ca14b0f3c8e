import type { LedgerEntry } from "./cluster.ts";
import type { InnerInstruction } from "./executor.ts";
import { listAccounts, type LoadedAddresses } from "./loaded-addresses.ts";
import { encodeBase58, type CompiledMessage, type DecodedTransaction } from "./transaction-encoding.ts";

/**
 * A transaction of the ledger as `getTransaction` answers it.
 * @param encoding `json`; `jsonParsed`, which names accounts in place of their positions (no instruction is read further); else bytes.
 */
export function presentTransaction(entry: LedgerEntry, decoded: DecodedTransaction, encoding: string): unknown {
  const { outcome } = entry;
  const { message, signatures } = decoded;
  const isParsed = encoding === "jsonParsed";
  const accounts = listAccounts(message, outcome.loaded);
  const showInner = (instruction: InnerInstruction): unknown => (isParsed ? nameAccounts(accounts, instruction) : instruction);
  return {
    slot: entry.slot,
    blockTime: entry.blockTimeSeconds,
    version: message.version,
    transaction:
      encoding === "json" || isParsed
        ? { signatures, message: isParsed ? presentParsed(message, outcome.loaded) : presentMessage(message) }
        : presentBytes(decoded, encoding),
    meta: {
      err: outcome.error,
      status: outcome.error === null ? { Ok: null } : { Err: outcome.error },
      fee: entry.feeLamports,
      computeUnitsConsumed: outcome.computeUnits,
      logMessages: outcome.logs,
      innerInstructions: outcome.inner.map(({ index, instructions }) => ({ index, instructions: instructions.map(showInner) })),
      preBalances: entry.preBalances,
      postBalances: entry.postBalances,
      preTokenBalances: [],
      postTokenBalances: [],
      rewards: [],
      loadedAddresses: outcome.loaded,
    },
  };
}

function presentBytes({ wire }: DecodedTransaction, encoding: string): [string, string] {
  return [encoding === "base64" ? Buffer.from(wire).toString("base64") : encodeBase58(wire), encoding];
}

function presentMessage(message: CompiledMessage): unknown {
  return {
    header: {
      numRequiredSignatures: message.header.numSignerAccounts,
      numReadonlySignedAccounts: message.header.numReadonlySignerAccounts,
      numReadonlyUnsignedAccounts: message.header.numReadonlyNonSignerAccounts,
    },
    accountKeys: message.staticAccounts,
    recentBlockhash: message.lifetimeToken,
    ...describeLookups(message),
    instructions: listInstructions(message),
  };
}

function presentParsed(message: CompiledMessage, loaded: LoadedAddresses): unknown {
  const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = message.header;
  const firstReadonly = message.staticAccounts.length - numReadonlyNonSignerAccounts;
  const named = message.staticAccounts.map((pubkey, at) => {
    const signer = at < numSignerAccounts;
    const writable = signer ? at < numSignerAccounts - numReadonlySignerAccounts : at < firstReadonly;
    return { pubkey, signer, writable, source: "transaction" };
  });
  const showLoaded = (writable: boolean) => (pubkey: string) => ({ pubkey, signer: false, writable, source: "lookupTable" });
  const accounts = listAccounts(message, loaded);
  return {
    accountKeys: [...named, ...loaded.writable.map(showLoaded(true)), ...loaded.readonly.map(showLoaded(false))],
    recentBlockhash: message.lifetimeToken,
    ...describeLookups(message),
    instructions: listInstructions(message).map((instruction) => nameAccounts(accounts, instruction)),
  };
}

function describeLookups({ version, addressTableLookups }: CompiledMessage): object {
  return version === 0 ? { addressTableLookups: addressTableLookups.map(presentLookup) } : {};
}

function presentLookup({
  lookupTableAddress: accountKey,
  writableIndexes,
  readonlyIndexes,
}: CompiledMessage["addressTableLookups"][number]): unknown {
  return { accountKey, writableIndexes: [...writableIndexes], readonlyIndexes: [...readonlyIndexes] };
}

function listInstructions(message: CompiledMessage): InnerInstruction[] {
  return message.instructions.map((instruction) => ({
    programIdIndex: instruction.programAddressIndex,
    accounts: [...(instruction.accountIndices ?? [])],
    data: encodeBase58(instruction.data ?? new Uint8Array()),
    stackHeight: 1,
  }));
}

function nameAccounts(all: readonly string[], { programIdIndex, accounts, ...rest }: InnerInstruction): unknown {
  return { programId: all[programIdIndex], accounts: accounts.map((at) => all[at]), ...rest };
}
