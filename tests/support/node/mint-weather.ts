import { findTreeConfigPda } from "@metaplex-foundation/mpl-bubblegum";
import { createNoopSigner, publicKey } from "@metaplex-foundation/umi";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient } from "#chain/rpc-client";
import type { LocalNode, Localnet } from "#dev/localnet/start-localnet";
import { Random } from "#dev/simulate/random";
import type { MintWorld } from "./mint-world.ts";

/** Offsets in Bubblegum's config of a tree: creator and delegate, then u64 capacity and u64 minted. */
const AUTHORITIES = { start: 8, end: 72 };
const CAPACITY_OFFSET = 72;
const MINTED_OFFSET = 80;

/** What the chain and its nodes suffer from for a while. Drawn from once a spell only: the seed says which weather comes when. */
export class MintWeather {
  readonly #world: MintWorld;
  readonly #random: Random;
  readonly #count: (trouble: string) => void;
  #clearUp: () => void = () => undefined;

  /** @param count is told of each trouble that comes. */
  constructor(world: MintWorld, seed: number, count: (trouble: string) => void) {
    this.#world = world;
    this.#random = new Random(seed);
    this.#count = count;
  }

  /** Everything is as it should be again. */
  clear(): void {
    this.#clearUp();
    this.#clearUp = () => undefined;
    for (const node of this.#world.nodes) Object.assign(node.faults, CLEAR);
  }

  /** A new spell of bad weather. */
  change(): void {
    this.clear();
    for (const node of this.#world.nodes) this.#troubleNode(node);
    if (this.#turnsTo("tree full", 0.15)) this.#changeConfig(fillUp);
    else if (this.#turnsTo("wrong authority", 0.15)) this.#changeConfig(disown);
    else if (this.#turnsTo("payer empty", 0.2)) this.#emptyPayer();
  }

  #troubleNode({ faults }: LocalNode): void {
    if (this.#turnsTo("node dark", 0.2)) faults.isDark = true;
    if (this.#turnsTo("node behind", 0.3)) faults.behindSlots = this.#random.between(1, 40);
    if (this.#turnsTo("node back from a snapshot", 0.2)) {
      const backAtSlot = this.#world.localnet.cluster.slotAt("processed");
      faults.missingSlots = [backAtSlot - this.#random.between(10, 300), backAtSlot];
    }
    if (this.#turnsTo("node pruned", 0.1))
      faults.firstSlot = this.#world.localnet.cluster.slotAt("processed") - this.#random.between(10, 100);
    const seed = this.#random.between(0, 1_000_000);
    const calls = { status: 0.08, cut: 0.04, cutAfter: 0.08 };
    faults.chances = { seed, ...calls, drop: 0.25, delay: 0.25, longestDelaySlots: 170 };
  }

  #turnsTo(trouble: string, probability: number): boolean {
    const turns = this.#random.chance(probability);
    if (turns) this.#count(trouble);
    return turns;
  }

  /** Changes the tree's config until the weather changes. */
  #changeConfig(change: (bytes: Uint8Array) => void): void {
    const { cluster } = this.#world.localnet;
    const umi = createLeanUmi(createRpcClient("http://nobody.invalid"), createNoopSigner(publicKey(this.#world.tree)));
    const [config] = findTreeConfigPda(umi, { merkleTree: publicKey(this.#world.tree) });
    const before = readBytes(this.#world.localnet, config);
    const changed = before.slice();
    change(changed);
    cluster.changeAccount(config, { bytes: changed });
    this.#clearUp = () => {
      // What was minted meanwhile stays counted.
      const bytes = readBytes(this.#world.localnet, config);
      bytes.set(before.subarray(AUTHORITIES.start, MINTED_OFFSET), AUTHORITIES.start);
      cluster.changeAccount(config, { bytes });
    };
  }

  #emptyPayer(): void {
    const { cluster } = this.#world.localnet;
    const { walletAddress } = this.#world.minter;
    const lamports = cluster.balanceOf(walletAddress);
    cluster.changeAccount(walletAddress, { lamports: 1_000_000 });
    this.#clearUp = () => cluster.changeAccount(walletAddress, { lamports });
  }
}

const CLEAR = { drop: 0, delaySlots: 0, isDark: false, behindSlots: 0, firstSlot: 0, missingSlots: null, chances: null };

function fillUp(config: Uint8Array): void {
  config.set(config.slice(MINTED_OFFSET, MINTED_OFFSET + 8), CAPACITY_OFFSET);
}

function disown(config: Uint8Array): void {
  config.fill(7, AUTHORITIES.start, AUTHORITIES.end);
}

function readBytes({ cluster }: Localnet, address: string): Uint8Array {
  const account = cluster.findAccount(address);
  if (account === undefined) throw new Error(`there is no account ${address}`);
  return account.data;
}
