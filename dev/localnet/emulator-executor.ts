import {
  getCompiledTransactionMessageEncoder,
  getTransactionDecoder,
  getTransactionEncoder,
  address,
  lamports,
  type Transaction,
} from "@solana/kit";
import { FailedTransactionMetadata, type LiteSVM } from "litesvm";
import {
  AccountOverlay,
  InstructionFailure,
  type EmulatedCall,
  type EmulatedInstruction,
  type MoneyMove,
} from "./account-overlay.ts";
import { BUBBLEGUM_PROGRAM_ID } from "./bubblegum-accounts.ts";
import { planBubblegumMoney, runBubblegum } from "./bubblegum-emulator.ts";
import { CORE_PROGRAM_ID, planCoreMoney, runCore } from "./core-emulator.ts";
import { presentFailure, presentSuccess, runLoaded, type Executor, type InnerGroup, type Outcome } from "./executor.ts";
import { concatBytes, encodeU32, encodeU64 } from "./leaf-encoding.ts";
import { NOTHING_LOADED, listAccounts, nameAllAccounts, type LoadedAddresses } from "./loaded-addresses.ts";
import { splitInstructions } from "./message-version-1.ts";
import {
  bytesOfAddress,
  computeFeeLamports,
  encodeBase58,
  hasValidSignatures,
  type CompiledInstruction,
  type DecodedTransaction,
  type TransactionErrorJson,
} from "./transaction-encoding.ts";

const SYSTEM_PROGRAM_ID = "11111111111111111111111111111111";
const SYSTEM_CREATE_ACCOUNT = 0;
const SYSTEM_TRANSFER = 2;

/** A transaction taken apart: what litesvm runs itself, and what is emulated after it. */
interface SplitTransaction {
  readonly native: Transaction;
  readonly emulated: readonly EmulatedInstruction[];
  /** For each native instruction, the place of the one it came from. */
  readonly origins: readonly number[];
}

/**
 * Runs Bubblegum and mpl-core as our own code on the real account bytes, for machines that don't have the programs.
 * Everything else is litesvm's: fees, rent, the System program, the compute budget. An emulated instruction's lamports are
 * moved by System instructions in its place, so the runtime refuses what can't be paid.
 *
 * Native instructions run first, then the emulated ones. That is their order in all that this project sends.
 */
export function createEmulatorExecutor(svm: LiteSVM): Executor {
  // The message that litesvm sees is not the one that was signed; the signatures are checked here.
  svm.withSigverify(false);
  return {
    mode: "emulator",
    svm,
    simulate: (transaction, slot) =>
      runLoaded(svm, transaction, slot, (decoded, loaded) => run(svm, { decoded, loaded }, slot, false)),
    execute: (transaction, slot) =>
      runLoaded(svm, transaction, slot, (decoded, loaded) => run(svm, { decoded, loaded }, slot, true)),
  };
}

/** A transaction, and what it takes from address lookup tables. */
interface Loaded {
  readonly decoded: DecodedTransaction;
  readonly loaded: LoadedAddresses;
}

function run(svm: LiteSVM, { decoded: signed, loaded }: Loaded, slot: bigint, keeps: boolean): Outcome {
  const nothing = { logs: [], computeUnits: 0, inner: [], loaded: NOTHING_LOADED };
  if (!hasValidSignatures(signed)) return { isIncludable: false, error: "SignatureFailure", ...nothing };
  // No System instruction could stand in an emulated one's place while the System program is in a table.
  const decoded = { ...signed, message: nameAllAccounts(signed.message, loaded) };
  const refuseAt = (index: number, failure: InstructionFailure, logs: readonly string[]): Outcome => {
    if (keeps) chargeFee(svm, decoded);
    const code = typeof failure.code === "number" ? { Custom: failure.code } : failure.code;
    return {
      isIncludable: true,
      error: { InstructionError: [index, code] },
      logs: [...logs, `Program log: ${failure.message}`],
      computeUnits: 0,
      inner: [],
      loaded,
    };
  };
  const emulated = listEmulated(decoded);
  const split = splitOrFailure(svm, decoded, emulated);
  if (split.failure !== undefined) return refuseAt(split.index, split.failure, []);

  const simulated = svm.simulateTransaction(split.value.native);
  if (simulated instanceof FailedTransactionMetadata) {
    if (keeps) svm.sendTransaction(split.value.native);
    return restoreIndex(presentFailure(simulated), split.value.origins);
  }
  const overlay = new AccountOverlay(svm, simulated.postAccounts());
  const logs: string[] = [];
  const inner: InnerGroup[] = [];
  const accounts = listAccounts(signed.message, loaded);
  for (const instruction of emulated) {
    logs.push(`Program ${instruction.programId} invoke [1]`);
    try {
      inner.push({ index: instruction.index, instructions: presentCalls(accounts, runEmulated(instruction, overlay, slot)) });
    } catch (error) {
      if (!(error instanceof InstructionFailure)) throw error;
      return refuseAt(instruction.index, error, logs);
    }
    logs.push(`Program ${instruction.programId} success`);
  }
  const outcome = presentSuccess(simulated.meta());
  if (keeps) {
    const sent = svm.sendTransaction(split.value.native);
    if (sent instanceof FailedTransactionMetadata) return restoreIndex(presentFailure(sent), split.value.origins);
    overlay.commit();
  }
  return { ...outcome, logs: [...outcome.logs, ...logs], inner: inner.filter((group) => group.instructions.length > 0) };
}

function runEmulated(instruction: EmulatedInstruction, overlay: AccountOverlay, slot: bigint): EmulatedCall[] {
  if (instruction.programId === BUBBLEGUM_PROGRAM_ID) return runBubblegum(instruction, overlay, slot);
  runCore(instruction, overlay);
  return [];
}

function listEmulated({ message }: DecodedTransaction): EmulatedInstruction[] {
  return message.instructions.flatMap((instruction, index) => {
    const programId = message.staticAccounts[instruction.programAddressIndex];
    if (programId !== BUBBLEGUM_PROGRAM_ID && programId !== CORE_PROGRAM_ID) return [];
    const accounts = (instruction.accountIndices ?? []).map((place) => ({
      address: String(message.staticAccounts[place]),
      isSigner: place < message.header.numSignerAccounts,
    }));
    return [{ index, programId, accounts, data: new Uint8Array(instruction.data ?? []) }];
  });
}

type Split =
  | { readonly failure?: undefined; readonly value: SplitTransaction }
  | { readonly failure: InstructionFailure; readonly index: number };

function splitOrFailure(svm: LiteSVM, decoded: DecodedTransaction, emulated: readonly EmulatedInstruction[]): Split {
  const { message } = decoded;
  const rentOf = (byteCount: number): bigint => svm.minimumBalanceForRentExemption(BigInt(byteCount));
  const instructions: CompiledInstruction[] = [];
  const origins: number[] = [];
  for (const [index, instruction] of message.instructions.entries()) {
    const mine = emulated.find((candidate) => candidate.index === index);
    try {
      const replacements =
        mine === undefined ? [instruction] : planMoney(mine, rentOf).map((move) => encodeMove(decoded, move));
      for (const replacement of replacements) {
        instructions.push(replacement);
        origins.push(index);
      }
    } catch (error) {
      if (!(error instanceof InstructionFailure)) throw error;
      return { failure: error, index };
    }
  }
  const shaped = message.version === 1 ? splitInstructions(instructions) : { instructions };
  // The decoder gave this message; only its instructions are others.
  const changed = { ...message, ...shaped } as unknown as Parameters<
    ReturnType<typeof getCompiledTransactionMessageEncoder>["encode"]
  >[0];
  const messageBytes = getCompiledTransactionMessageEncoder().encode(changed);
  const native = getTransactionDecoder().decode(
    // The encoder brands its bytes; these are encoded just above.
    getTransactionEncoder().encode({ ...decoded.transaction, messageBytes: messageBytes as Transaction["messageBytes"] }),
  );
  return { value: { native, emulated, origins } };
}

function planMoney(instruction: EmulatedInstruction, rentOf: (byteCount: number) => bigint): MoneyMove[] {
  return instruction.programId === BUBBLEGUM_PROGRAM_ID
    ? planBubblegumMoney(instruction, rentOf)
    : planCoreMoney(instruction, rentOf);
}

/** A System instruction: u32 kind, then its arguments, little-endian. */
function encodeMove({ message }: DecodedTransaction, move: MoneyMove): CompiledInstruction {
  const placeOf = (key: string): number => message.staticAccounts.findIndex((candidate) => candidate === key);
  const programAddressIndex = placeOf(SYSTEM_PROGRAM_ID);
  if (programAddressIndex < 0) throw new InstructionFailure("MissingAccount", "the System program is missing");
  if (move.kind === "transfer") {
    return {
      programAddressIndex,
      accountIndices: [placeOf(move.from), placeOf(move.to)],
      data: concatBytes(encodeU32(SYSTEM_TRANSFER), encodeU64(move.lamports)),
    };
  }
  return {
    programAddressIndex,
    accountIndices: [placeOf(move.from), placeOf(move.created)],
    data: concatBytes(
      encodeU32(SYSTEM_CREATE_ACCOUNT),
      encodeU64(move.lamports),
      encodeU64(BigInt(move.space)),
      bytesOfAddress(move.owner),
    ),
  };
}

function presentCalls(accounts: readonly string[], calls: readonly EmulatedCall[]): InnerGroup["instructions"] {
  const placeOf = (key: string): number => accounts.indexOf(key);
  return calls.map((call) => ({
    programIdIndex: placeOf(call.programId),
    accounts: call.accounts.map(placeOf),
    data: encodeBase58(call.data),
    stackHeight: call.stackHeight,
  }));
}

/** Says which of the sender's instructions failed, not which of the ones that litesvm was given. */
function restoreIndex(outcome: Outcome, origins: readonly number[]): Outcome {
  const { error } = outcome;
  if (error === null || typeof error === "string" || !Array.isArray(error["InstructionError"])) return outcome;
  const [index, cause] = error["InstructionError"] as [number, unknown]; // Built by presentTransactionError in this form.
  const restored: TransactionErrorJson = { InstructionError: [origins[index] ?? index, cause] };
  return { ...outcome, error: restored };
}

function chargeFee(svm: LiteSVM, decoded: DecodedTransaction): void {
  const [payer] = decoded.message.staticAccounts;
  if (payer === undefined) return;
  const account = svm.getAccount(address(payer));
  if (!account.exists) return;
  svm.setAccount({ ...account, lamports: lamports(account.lamports - BigInt(computeFeeLamports(decoded))) });
}
