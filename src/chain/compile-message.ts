import {
  getTransactionMessageSerializer,
  getTransactionSerializer,
  type PublicKey,
  type Transaction,
  type TransactionFactoryInterface,
  type TransactionInput,
  type TransactionMessage,
} from "@metaplex-foundation/umi";

const SIGNATURE_BYTES = 64;

interface AccountUse {
  isSigner: boolean;
  isWritable: boolean;
}

/** umi's transaction factory without @solana/web3.js: version 0 messages, no address lookup tables. */
export const transactionFactory: TransactionFactoryInterface = {
  create: compileTransaction,
  serialize: (transaction) => getTransactionSerializer().serialize(transaction),
  deserialize: (bytes) => getTransactionSerializer().deserialize(bytes)[0],
  serializeMessage: (message) => getTransactionMessageSerializer().serialize(message),
  deserializeMessage: (bytes) => getTransactionMessageSerializer().deserialize(bytes)[0],
  getDefaultVersion: () => 0,
};

/**
 * Compiles instructions to an unsigned version 0 transaction. An account that several instructions name is a signer, or
 * writable, when any of them says so.
 */
function compileTransaction(input: TransactionInput): Transaction {
  const uses = collectAccountUses(input);
  const pick = (isSigner: boolean, isWritable: boolean): PublicKey[] =>
    [...uses].filter(([, use]) => use.isSigner === isSigner && use.isWritable === isWritable).map(([key]) => key);
  // The runtime reads an account's rights from its place: signers first, and among each kind the writable ones first. The
  // payer is the first entry of the map, so it comes first of all.
  const writableSigners = pick(true, true);
  const readonlySigners = pick(true, false);
  const readonlyOthers = pick(false, false);
  const accounts = [...writableSigners, ...readonlySigners, ...pick(false, true), ...readonlyOthers];
  const indexOf = new Map(accounts.map((key, index) => [key, index]));
  const place = (key: PublicKey): number => indexOf.get(key) ?? -1;
  const signerCount = writableSigners.length + readonlySigners.length;
  const message: TransactionMessage = {
    version: 0,
    header: {
      numRequiredSignatures: signerCount,
      numReadonlySignedAccounts: readonlySigners.length,
      numReadonlyUnsignedAccounts: readonlyOthers.length,
    },
    accounts,
    blockhash: input.blockhash,
    addressLookupTables: [],
    instructions: input.instructions.map((instruction) => ({
      programIndex: place(instruction.programId),
      accountIndexes: instruction.keys.map((key) => place(key.pubkey)),
      data: instruction.data,
    })),
  };
  return {
    message,
    serializedMessage: getTransactionMessageSerializer().serialize(message),
    signatures: Array.from({ length: signerCount }, () => new Uint8Array(SIGNATURE_BYTES)),
  };
}

function collectAccountUses(input: TransactionInput): Map<PublicKey, AccountUse> {
  const uses = new Map<PublicKey, AccountUse>();
  const note = (key: PublicKey, isSigner: boolean, isWritable: boolean): void => {
    const use = uses.get(key) ?? { isSigner: false, isWritable: false };
    uses.set(key, { isSigner: use.isSigner || isSigner, isWritable: use.isWritable || isWritable });
  };
  note(input.payer, true, true);
  for (const instruction of input.instructions) {
    note(instruction.programId, false, false);
    for (const key of instruction.keys) note(key.pubkey, key.isSigner, key.isWritable);
  }
  return uses;
}
