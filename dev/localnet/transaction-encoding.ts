import { createPublicKey, verify } from "node:crypto";
import {
  getAddressEncoder,
  getBase58Decoder,
  getBase58Encoder,
  getCompiledTransactionMessageDecoder,
  getTransactionDecoder,
  type Address,
  type Transaction,
} from "@solana/kit";
import type { FailedTransactionMetadata } from "litesvm";
import { INSTRUCTION_ERRORS, TRANSACTION_ERRORS } from "./error-names.ts";
import { joinInstructions, readPriorityFee } from "./message-version-1.ts";

/** A signed transaction, read into its parts. */
export interface DecodedTransaction {
  readonly wire: Uint8Array;
  readonly transaction: Transaction;
  readonly message: CompiledMessage;
  /** Base58; the first is the transaction's id. */
  readonly signatures: readonly string[];
  readonly signature: string;
}

/** An instruction whose accounts are positions in the message's account list. */
export interface CompiledInstruction {
  readonly programAddressIndex: number;
  readonly accountIndices?: readonly number[];
  readonly data?: Uint8Array;
}

/** The part of a compiled message that the local chain reads. */
export interface CompiledMessage {
  readonly version: "legacy" | number;
  readonly header: {
    readonly numSignerAccounts: number;
    readonly numReadonlySignerAccounts: number;
    readonly numReadonlyNonSignerAccounts: number;
  };
  readonly staticAccounts: readonly Address[];
  /** What is taken from address lookup tables, by place there. */
  readonly addressTableLookups: readonly {
    readonly lookupTableAddress: Address;
    readonly writableIndexes: readonly number[];
    readonly readonlyIndexes: readonly number[];
  }[];
  readonly lifetimeToken: string;
  readonly instructions: readonly CompiledInstruction[];
  /** What a version 1 message says itself of its fee; others say it by instructions. */
  readonly budget: { readonly priorityFeeLamports: number } | null;
}

/** A transaction error as JSON-RPC shows it: a name, or an object such as `{InstructionError: [0, {Custom: 6016}]}`. */
export type TransactionErrorJson = string | Readonly<Record<string, unknown>>;

const SIGNATURE_BYTES = 64;
const BASE_FEE_LAMPORTS = 5_000;
const DEFAULT_COMPUTE_UNITS = 200_000;
const COMPUTE_BUDGET_PROGRAM_ID = "ComputeBudget111111111111111111111111111111";
const SET_COMPUTE_UNIT_LIMIT = 2;
const SET_COMPUTE_UNIT_PRICE = 3;
const MICRO_LAMPORTS_PER_LAMPORT = 1_000_000n;

const toBase58 = getBase58Decoder();
const fromBase58 = getBase58Encoder();
const addressBytes = getAddressEncoder();

/** Bytes to base58. */
export function encodeBase58(bytes: Readonly<Uint8Array>): string {
  return toBase58.decode(bytes);
}

/** Base58 to bytes. @throws when `text` is not base58. */
export function decodeBase58(text: string): Uint8Array {
  return new Uint8Array(fromBase58.encode(text));
}

/** The 32 bytes of an address. */
export function bytesOfAddress(text: string): Uint8Array {
  return new Uint8Array(addressBytes.encode(text as Address)); // The encoder itself refuses what is no address.
}

/** Reads a transaction from its wire bytes. @throws when they are no transaction. */
export function decodeTransaction(wire: Uint8Array): DecodedTransaction {
  const transaction = getTransactionDecoder().decode(wire);
  const message = presentMessage(getCompiledTransactionMessageDecoder().decode(transaction.messageBytes));
  const signatures = Object.values(transaction.signatures).map((bytes) =>
    encodeBase58(bytes ?? new Uint8Array(SIGNATURE_BYTES)),
  );
  const [signature] = signatures;
  if (signature === undefined) throw new Error("a transaction needs a signature");
  return { wire, transaction, message, signatures, signature };
}

/** Kit types each version of a message apart; here they look alike. What else a version has is kept, so that it can be encoded again. */
function presentMessage(read: ReturnType<ReturnType<typeof getCompiledTransactionMessageDecoder>["decode"]>): CompiledMessage {
  if (read.version === 1) {
    const budget = { priorityFeeLamports: readPriorityFee(read) };
    return { ...read, addressTableLookups: [], instructions: joinInstructions(read), budget };
  }
  // The decoder leaves fields out where there is nothing in them.
  const addressTableLookups = read.version === 0 ? (read.addressTableLookups ?? []) : [];
  const instructions = read.instructions.map(({ programAddressIndex, accountIndices = [], data = [] }) => {
    return { programAddressIndex, accountIndices, data: new Uint8Array(data) };
  });
  return { ...read, addressTableLookups, instructions, budget: null };
}

/** True when every signer's Ed25519 signature over the message is right. */
export function hasValidSignatures({ transaction, message }: DecodedTransaction): boolean {
  const signers = message.staticAccounts.slice(0, message.header.numSignerAccounts);
  return signers.every((signer) => {
    const signature = transaction.signatures[signer];
    if (signature === null || signature === undefined) return false;
    const x = Buffer.from(bytesOfAddress(signer)).toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, Buffer.from(transaction.messageBytes), key, Buffer.from(signature));
  });
}

/**
 * What the payer pays: 5,000 lamports a signature, and the compute budget's price times its limit, rounded up. A message of version 1
 * names the sum itself, and instructions to the compute budget mean nothing in it.
 */
export function computeFeeLamports({ message, signatures }: DecodedTransaction): number {
  if (message.budget !== null) return BASE_FEE_LAMPORTS * signatures.length + message.budget.priorityFeeLamports;
  let unitLimit = DEFAULT_COMPUTE_UNITS * message.instructions.length;
  let microLamportsPerUnit = 0n;
  for (const instruction of message.instructions) {
    const { data } = instruction;
    if (message.staticAccounts[instruction.programAddressIndex] !== COMPUTE_BUDGET_PROGRAM_ID || data === undefined) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    if (data[0] === SET_COMPUTE_UNIT_LIMIT) unitLimit = view.getUint32(1, true);
    if (data[0] === SET_COMPUTE_UNIT_PRICE) microLamportsPerUnit = view.getBigUint64(1, true);
  }
  const microLamports = microLamportsPerUnit * BigInt(unitLimit);
  const priority = (microLamports + MICRO_LAMPORTS_PER_LAMPORT - 1n) / MICRO_LAMPORTS_PER_LAMPORT;
  return BASE_FEE_LAMPORTS * signatures.length + Number(priority);
}

/** litesvm's error as JSON-RPC shows it. A plain name means that the transaction never got into a block. */
export function presentTransactionError(failed: FailedTransactionMetadata): TransactionErrorJson {
  const error = failed.err();
  if (typeof error === "number") return TRANSACTION_ERRORS[error] ?? String(error);
  if ("err" in error) {
    const cause = error.err();
    if (typeof cause === "number") return { InstructionError: [error.index, INSTRUCTION_ERRORS[cause] ?? String(cause)] };
    return { InstructionError: [error.index, "code" in cause ? { Custom: cause.code } : "BorshIoError"] };
  }
  if ("accountIndex" in error) return { InsufficientFundsForRent: { account_index: error.accountIndex } };
  return String(error);
}
