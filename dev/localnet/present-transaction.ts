import type { LedgerEntry } from "./cluster.ts";
import type { InnerInstruction } from "./executor.ts";
import { encodeBase58, type CompiledMessage, type DecodedTransaction } from "./transaction-encoding.ts";

/**
 * A transaction of the ledger as `getTransaction` answers it.
 * @param encoding `json`; `jsonParsed`, which names accounts in place of their positions (no instruction is read further); else bytes.
 */
export function presentTransaction(entry: LedgerEntry, decoded: DecodedTransaction, encoding: string): unknown {
  const { outcome } = entry;
  const { message, signatures } = decoded;
  const isParsed = encoding === "jsonParsed";
  const showInner = (instruction: InnerInstruction): unknown => (isParsed ? nameAccounts(message, instruction) : instruction);
  return {
    slot: entry.slot,
    blockTime: entry.blockTimeSeconds,
    version: message.version,
    transaction:
      encoding === "json" || isParsed
        ? { signatures, message: isParsed ? presentParsed(message) : presentMessage(message) }
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
      loadedAddresses: { writable: [], readonly: [] },
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

function presentParsed(message: CompiledMessage): unknown {
  const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = message.header;
  const firstReadonly = message.staticAccounts.length - numReadonlyNonSignerAccounts;
  return {
    accountKeys: message.staticAccounts.map((pubkey, at) => {
      const signer = at < numSignerAccounts;
      const writable = signer ? at < numSignerAccounts - numReadonlySignerAccounts : at < firstReadonly;
      return { pubkey, signer, writable, source: "transaction" };
    }),
    recentBlockhash: message.lifetimeToken,
    ...describeLookups(message),
    instructions: listInstructions(message).map((instruction) => nameAccounts(message, instruction)),
  };
}

function describeLookups({ version }: CompiledMessage): object {
  return version === 0 ? { addressTableLookups: [] } : {};
}

function listInstructions(message: CompiledMessage): InnerInstruction[] {
  return message.instructions.map((instruction) => ({
    programIdIndex: instruction.programAddressIndex,
    accounts: [...(instruction.accountIndices ?? [])],
    data: encodeBase58(instruction.data ?? new Uint8Array()),
    stackHeight: 1,
  }));
}

function nameAccounts({ staticAccounts }: CompiledMessage, { programIdIndex, accounts, ...rest }: InnerInstruction): unknown {
  return { programId: staticAccounts[programIdIndex], accounts: accounts.map((at) => staticAccounts[at]), ...rest };
}
