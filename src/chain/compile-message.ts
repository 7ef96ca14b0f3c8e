import {
  getTransactionMessageSerializer,
  getTransactionSerializer,
  type AddressLookupTableInput,
  type CompiledAddressLookupTable,
  type PublicKey,
  type Transaction,
  type TransactionFactoryInterface,
  type TransactionInput,
  type TransactionMessage,
} from "@metaplex-foundation/umi";

const SIGNATURE_BYTES = 64;
/** A table takes 34 bytes, and one for each address that it gives in place of 32: one address alone saves nothing. */
const LEAST_LOOKED_UP = 2;

interface AccountUse {
  isSigner: boolean;
  isWritable: boolean;
  /** Called by the transaction itself: the runtime takes no such program from a table. */
  isProgram: boolean;
}

type AccountUses = ReadonlyMap<PublicKey, Readonly<AccountUse>>;

/** umi's transaction factory without @solana/web3.js: messages of version 0, with address lookup tables or without, and of version 1. */
export const transactionFactory: TransactionFactoryInterface = {
  create: compileTransaction,
  serialize: (transaction) => getTransactionSerializer().serialize(transaction),
  deserialize: (bytes) => getTransactionSerializer().deserialize(bytes)[0],
  serializeMessage: (message) => getTransactionMessageSerializer().serialize(message),
  deserializeMessage: (bytes) => getTransactionMessageSerializer().deserialize(bytes)[0],
  getDefaultVersion: () => 0,
};

/**
 * Compiles instructions to an unsigned transaction of version 0, or 1 where the input says so. An account that several instructions
 * name is a signer, or writable, when any of them says so. What a table holds is named by its place there, but for signers and
 * programs that are called.
 */
function compileTransaction(input: TransactionInput): Transaction {
  const uses = collectAccountUses(input);
  const lookups = findLookups(uses, input.version === 0 ? (input.addressLookupTables ?? []) : []);
  const lookedUp = [...lookups.flatMap(({ writable }) => writable), ...lookups.flatMap(({ readonly }) => readonly)];
  const named = [...uses].filter(([key]) => !lookedUp.includes(key));
  const pick = (isSigner: boolean, isWritable: boolean): PublicKey[] =>
    named.filter(([, use]) => use.isSigner === isSigner && use.isWritable === isWritable).map(([key]) => key);
  // The runtime reads an account's rights from its place: signers first, and among each kind the writable ones first. The
  // payer is the first entry of the map, so it comes first of all. What tables give follows: of all tables the writable ones first.
  const writableSigners = pick(true, true);
  const readonlySigners = pick(true, false);
  const readonlyOthers = pick(false, false);
  const accounts = [...writableSigners, ...readonlySigners, ...pick(false, true), ...readonlyOthers];
  const indexOf = new Map([...accounts, ...lookedUp].map((key, index) => [key, index]));
  const place = (key: PublicKey): number => indexOf.get(key) ?? -1;
  const signerCount = writableSigners.length + readonlySigners.length;
  const message: TransactionMessage = {
    version: input.version === 1 ? 1 : 0,
    header: {
      numRequiredSignatures: signerCount,
      numReadonlySignedAccounts: readonlySigners.length,
      numReadonlyUnsignedAccounts: readonlyOthers.length,
    },
    accounts,
    blockhash: input.blockhash,
    addressLookupTables: lookups.map(({ compiled }) => compiled),
    instructions: input.instructions.map((instruction) => ({
      programIndex: place(instruction.programId),
      accountIndexes: instruction.keys.map((key) => place(key.pubkey)),
      data: instruction.data,
    })),
    ...(input.version === 1 && input.transactionConfig !== undefined ? { transactionConfig: input.transactionConfig } : {}),
  };
  return {
    message,
    serializedMessage: getTransactionMessageSerializer().serialize(message),
    signatures: Array.from({ length: signerCount }, () => new Uint8Array(SIGNATURE_BYTES)),
  };
}

/** What a table gives to a message. */
interface Lookup {
  readonly writable: readonly PublicKey[];
  readonly readonly: readonly PublicKey[];
  readonly compiled: CompiledAddressLookupTable;
}

/** Finds the accounts that tables hold, each in the first table that has it; a table that would save nothing is left out. */
function findLookups(uses: AccountUses, tables: readonly AddressLookupTableInput[]): Lookup[] {
  const lookups: Lookup[] = [];
  const left = new Map([...uses].filter(([, use]) => !use.isSigner && !use.isProgram));
  for (const { publicKey, addresses } of tables) {
    const found = [...left].filter(([key]) => addresses.includes(key));
    if (found.length < LEAST_LOOKED_UP) continue;
    for (const [key] of found) left.delete(key);
    const writable = found.filter(([, use]) => use.isWritable).map(([key]) => key);
    const readonly = found.filter(([, use]) => !use.isWritable).map(([key]) => key);
    const placesOf = (keys: readonly PublicKey[]): number[] => keys.map((key) => addresses.indexOf(key));
    const compiled = { publicKey, writableIndexes: placesOf(writable), readonlyIndexes: placesOf(readonly) };
    lookups.push({ writable, readonly, compiled });
  }
  return lookups;
}

function collectAccountUses(input: TransactionInput): AccountUses {
  const uses = new Map<PublicKey, AccountUse>();
  const note = (key: PublicKey, use: Partial<AccountUse>): void => {
    const before = uses.get(key) ?? { isSigner: false, isWritable: false, isProgram: false };
    uses.set(key, {
      isSigner: before.isSigner || use.isSigner === true,
      isWritable: before.isWritable || use.isWritable === true,
      isProgram: before.isProgram || use.isProgram === true,
    });
  };
  note(input.payer, { isSigner: true, isWritable: true });
  for (const instruction of input.instructions) {
    note(instruction.programId, { isProgram: true });
    for (const { pubkey, isSigner, isWritable } of instruction.keys) note(pubkey, { isSigner, isWritable });
  }
  return uses;
}
