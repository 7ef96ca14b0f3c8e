import { getAddressLookupTableAccountDataSerializer, setComputeUnitLimit } from "@metaplex-foundation/mpl-toolbox";
import {
  none,
  publicKey,
  type AddressLookupTableInput,
  type PublicKey,
  type TransactionBuilder,
  type Umi,
} from "@metaplex-foundation/umi";
import { address, lamports } from "@solana/kit";
import { expect } from "vitest";
import { createLeanUmi } from "#chain/lean-umi";
import { importWalletSigner } from "#chain/wallet-signer";
import type { Executor, Outcome } from "#dev/localnet/executor";
import { LOOKUP_TABLE_PROGRAM_ID, listAccounts } from "#dev/localnet/loaded-addresses";
import { findProgramsDir } from "#dev/localnet/program-files";
import { createExecutor } from "#dev/localnet/start-localnet";
import { decodeTransaction, type DecodedTransaction } from "#dev/localnet/transaction-encoding";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";

const programsDir = findProgramsDir();

/** The emulator moves lamports by instructions of its own in place of calls. */
const SYSTEM_PROGRAM_ID = "11111111111111111111111111111111";
const BLOCKHASH = "11111111111111111111111111111112";

/** Two chains in the same state, one on the real programs and one on the emulator, given the same signed bytes. */
export class TwinChains {
  readonly umi: Umi;
  readonly wallet: PublicKey;
  readonly #real: Executor;
  readonly #emulated: Executor;
  #slot = 1_000n;

  static async open(): Promise<TwinChains> {
    return new TwinChains(await importWalletSigner(generateSolanaWallet()));
  }

  constructor(wallet: Awaited<ReturnType<typeof importWalletSigner>>) {
    this.#real = createExecutor({ programsDir });
    this.#emulated = createExecutor({ forceEmulator: true });
    const { svm } = this.#real;
    this.umi = createLeanUmi(
      {
        url: "http://twin.invalid",
        call: <T>(_method: string, [bytes]: readonly unknown[] = []) =>
          Promise.resolve(Number(svm.minimumBalanceForRentExemption(BigInt(Number(bytes)))) as T),
      },
      wallet,
    );
    this.wallet = wallet.publicKey;
    this.fund(wallet.publicKey);
  }

  fund(key: string): void {
    for (const { svm } of this.#chains()) svm.airdrop(address(key), lamports(1_000_000_000_000n));
  }

  /** Puts a lookup table with these addresses on both chains. */
  placeTable(addresses: readonly PublicKey[]): AddressLookupTableInput {
    const key = publicKey(generateSolanaAddress());
    const data = getAddressLookupTableAccountDataSerializer().serialize({
      deactivationSlot: 2n ** 64n - 1n,
      lastExtendedSlot: 1,
      lastExtendedStartIndex: 0,
      authority: none(),
      addresses: [...addresses],
    });
    for (const { svm } of this.#chains()) {
      svm.setAccount({
        address: address(key),
        data,
        executable: false,
        lamports: lamports(10_000_000n),
        programAddress: address(LOOKUP_TABLE_PROGRAM_ID),
        space: BigInt(data.length),
      });
    }
    return { publicKey: key, addresses: [...addresses] };
  }

  /** Gives both chains the same bytes and compares everything they leave. @returns the error of the real programs, or null. */
  async run(work: TransactionBuilder, watched: readonly PublicKey[]): Promise<Outcome["error"]> {
    this.#slot += 1n;
    for (const { svm } of this.#chains()) svm.warpToSlot(this.#slot);
    const isVersion1 = work.options.version === 1;
    const budgeted = isVersion1 ? work : work.prepend(setComputeUnitLimit(this.umi, { units: 1_000_000 }));
    const built = await budgeted.setBlockhash(BLOCKHASH).buildAndSign(this.umi);
    const decoded = decodeTransaction(this.umi.transactions.serialize(built));
    const [real, emulated] = [this.#real.execute(decoded, this.#slot), this.#emulated.execute(decoded, this.#slot)];
    expect(emulated.error, real.logs.join("\n")).toEqual(real.error);
    if (real.error === null) expect(listCalls(emulated, decoded)).toEqual(listCalls(real, decoded));
    for (const key of [...watched, this.wallet])
      expect(this.#read(this.#emulated, key), key).toEqual(this.#read(this.#real, key));
    return real.error;
  }

  #read({ svm }: Executor, key: PublicKey): unknown {
    const account = svm.getAccount(address(key));
    if (!account.exists) return null;
    const bytes = Buffer.from(account.data).toString("hex");
    return { bytes, owner: account.programAddress, lamports: account.lamports };
  }

  #chains(): Executor[] {
    return [this.#real, this.#emulated];
  }
}

function listCalls({ inner, loaded }: Outcome, { message }: DecodedTransaction): unknown {
  const accounts = listAccounts(message, loaded);
  const isSystem = (index: number): boolean => accounts[index] === SYSTEM_PROGRAM_ID;
  return inner.flatMap(({ index, instructions }) =>
    instructions.filter((call) => !isSystem(call.programIdIndex)).map((call) => [index, call] as const),
  );
}
