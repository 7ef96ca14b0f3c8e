import { BriefMemory } from "./brief-memory.ts";
import type { RpcClient } from "./rpc-client.ts";

const LOOK_EVERY_MS = 30_000;

/**
 * Knows whether the payer can go on paying. The node is asked every half a minute at most; in between, what this isolate has signed
 * for is taken off the last answer.
 */
export class PayerWatch {
  readonly #floorLamports: number;
  readonly #balance: BriefMemory<number>;
  #spentLamports = 0;

  /** @param floorLamports below this nothing more is signed. */
  constructor(rpc: RpcClient, address: string, floorLamports: number, readClockMs: () => number) {
    this.#floorLamports = floorLamports;
    this.#balance = new BriefMemory(LOOK_EVERY_MS, readClockMs, async () => {
      const { value } = await rpc.call<{ readonly value: number }>("getBalance", [address, { commitment: "confirmed" }]);
      return value;
    });
  }

  /** @throws when the node can't be reached and the last answer is old. */
  async isFunded(): Promise<boolean> {
    const { value, isFresh } = await this.#balance.read();
    if (isFresh) this.#spentLamports = 0;
    return value - this.#spentLamports >= this.#floorLamports;
  }

  /** Notes what a transaction signed here will cost. */
  noteSpent(lamports: number): void {
    this.#spentLamports += lamports;
  }
}
