import { FailedTransactionMetadata, LiteSVM, type TransactionMetadata } from "litesvm";
import { LookupRefusal, NOTHING_LOADED, loadAddresses, type LoadedAddresses } from "./loaded-addresses.ts";
import {
  encodeBase58,
  presentTransactionError,
  type DecodedTransaction,
  type TransactionErrorJson,
} from "./transaction-encoding.ts";

/** An instruction that a program called, as JSON-RPC shows it; indexes point into the message's accounts. */
export interface InnerInstruction {
  readonly programIdIndex: number;
  readonly accounts: readonly number[];
  /** Base58. */
  readonly data: string;
  readonly stackHeight: number;
}

/** The inner instructions of the top-level instruction at `index`. */
export interface InnerGroup {
  readonly index: number;
  readonly instructions: readonly InnerInstruction[];
}

/** What running a transaction gave. `isIncludable` false: it can't be in a block at all (bad signature, no money for the fee). */
export interface Outcome {
  readonly isIncludable: boolean;
  readonly error: TransactionErrorJson | null;
  readonly logs: readonly string[];
  readonly computeUnits: number;
  readonly inner: readonly InnerGroup[];
  readonly loaded: LoadedAddresses;
}

/** Runs transactions on accounts. */
export interface Executor {
  readonly mode: "programs" | "emulator";
  readonly svm: LiteSVM;
  /** Runs without keeping anything. */
  simulate(transaction: DecodedTransaction, slot: bigint): Outcome;
  /** Runs and keeps what it changed; of a transaction that fails, only the fee. */
  execute(transaction: DecodedTransaction, slot: bigint): Outcome;
}

/** A litesvm whose blockhashes and history are left to the cluster. */
export function createSvm(): LiteSVM {
  return new LiteSVM().withBlockhashCheck(false).withTransactionHistory(0n).withLogBytesLimit();
}

/** Runs everything in litesvm; Bubblegum and its friends must have been added to `svm` as programs. */
export function createProgramExecutor(svm: LiteSVM): Executor {
  return {
    mode: "programs",
    svm,
    simulate: (decoded, slot) =>
      runLoaded(svm, decoded, slot, ({ transaction }) => {
        const result = svm.simulateTransaction(transaction);
        return result instanceof FailedTransactionMetadata ? presentFailure(result) : presentSuccess(result.meta());
      }),
    execute: (decoded, slot) =>
      runLoaded(svm, decoded, slot, ({ transaction }) => {
        const result = svm.sendTransaction(transaction);
        return result instanceof FailedTransactionMetadata ? presentFailure(result) : presentSuccess(result);
      }),
  };
}

/** Runs a transaction with what it takes from tables; one whose tables do not give it can't be in a block. */
export function runLoaded(
  svm: LiteSVM,
  decoded: DecodedTransaction,
  slot: bigint,
  run: (decoded: DecodedTransaction, loaded: LoadedAddresses) => Outcome,
): Outcome {
  try {
    const loaded = loadAddresses(svm, decoded.message, slot);
    return { ...run(decoded, loaded), loaded };
  } catch (error) {
    if (!(error instanceof LookupRefusal)) throw error;
    return { isIncludable: false, error: error.error, logs: [], computeUnits: 0, inner: [], loaded: NOTHING_LOADED };
  }
}

/** The outcome of a transaction that litesvm ran to its end. */
export function presentSuccess(metadata: TransactionMetadata): Outcome {
  return {
    isIncludable: true,
    error: null,
    logs: metadata.logs(),
    computeUnits: Number(metadata.computeUnitsConsumed()),
    inner: presentInner(metadata),
    loaded: NOTHING_LOADED,
  };
}

/** The outcome of a transaction that litesvm refused or that failed in an instruction. */
export function presentFailure(failed: FailedTransactionMetadata): Outcome {
  const error = presentTransactionError(failed);
  const metadata = failed.meta();
  return {
    isIncludable: typeof error !== "string",
    error,
    logs: metadata.logs(),
    computeUnits: Number(metadata.computeUnitsConsumed()),
    inner: presentInner(metadata),
    loaded: NOTHING_LOADED,
  };
}

function presentInner(metadata: TransactionMetadata): InnerGroup[] {
  return metadata
    .innerInstructions()
    .map((group, index) => ({
      index,
      instructions: group.map((inner) => {
        const instruction = inner.instruction();
        return {
          programIdIndex: instruction.programIdIndex(),
          accounts: [...instruction.accounts()],
          data: encodeBase58(instruction.data()),
          stackHeight: inner.stackHeight(),
        };
      }),
    }))
    .filter((group) => group.instructions.length > 0);
}
