import { address, lamports } from "@solana/kit";
import type { LiteSVM, SimulatedTransactionInfo } from "litesvm";

/** An instruction that an emulated program refused; `code` is what the real program answers. */
export class InstructionFailure extends Error {
  readonly code: number | string;

  constructor(code: number | string, message: string) {
    super(message);
    this.code = code;
  }
}

/** An instruction of an emulated program, with its accounts by address. An optional account left out holds the program's own id. */
export interface EmulatedInstruction {
  /** Place among the transaction's instructions. */
  readonly index: number;
  readonly programId: string;
  readonly accounts: readonly { readonly address: string; readonly isSigner: boolean }[];
  readonly data: Uint8Array;
}

/** A call that an emulated program would make to another, for the ledger. */
export interface EmulatedCall {
  readonly programId: string;
  readonly accounts: readonly string[];
  readonly data: Uint8Array;
  readonly stackHeight: number;
}

/** A change of lamports that an emulated instruction asks of the System program, so that the runtime checks and books it. */
export type MoneyMove =
  | { readonly kind: "transfer"; readonly from: string; readonly to: string; readonly lamports: bigint }
  | {
      readonly kind: "create";
      readonly from: string;
      readonly created: string;
      readonly lamports: bigint;
      readonly space: number;
      readonly owner: string;
    };

interface OverlaidAccount {
  readonly data: Uint8Array;
  readonly owner: string;
}

const SYSTEM_PROGRAM_ID = "11111111111111111111111111111111";

/** Accounts as emulated instructions see and change them, on top of what the runtime has. Nothing is kept before `commit`. */
export class AccountOverlay {
  readonly #svm: LiteSVM;
  readonly #seen = new Map<string, OverlaidAccount>();
  readonly #changed = new Set<string>();

  /** @param after accounts as the transaction's native instructions leave them. */
  constructor(svm: LiteSVM, after: ReturnType<SimulatedTransactionInfo["postAccounts"]>) {
    this.#svm = svm;
    for (const account of after) {
      this.#seen.set(account.address, { data: new Uint8Array(account.data), owner: account.programAddress });
    }
  }

  /** A copy of the account; one that does not exist is empty and belongs to the System program. */
  read(accountAddress: string): OverlaidAccount {
    const seen = this.#seen.get(accountAddress);
    if (seen !== undefined) return { data: seen.data.slice(), owner: seen.owner };
    const account = this.#svm.getAccount(address(accountAddress));
    if (!account.exists) return { data: new Uint8Array(), owner: SYSTEM_PROGRAM_ID };
    return { data: new Uint8Array(account.data), owner: account.programAddress };
  }

  write(accountAddress: string, data: Uint8Array, owner: string): void {
    this.#seen.set(accountAddress, { data, owner });
    this.#changed.add(accountAddress);
  }

  /** Writes the changes into the runtime, leaving the lamports as it has them. */
  commit(): void {
    for (const accountAddress of this.#changed) {
      const { data, owner } = this.read(accountAddress);
      const key = address(accountAddress);
      this.#svm.setAccount({
        address: key,
        data,
        executable: false,
        lamports: this.#svm.getBalance(key) ?? lamports(0n),
        programAddress: address(owner),
        space: BigInt(data.length),
      });
    }
  }
}
