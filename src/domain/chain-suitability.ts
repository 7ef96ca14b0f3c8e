import type { FieldError } from "./failure.ts";
import { capacityOf, isNearlyFull, type TreeShape } from "./tree-shape.ts";

/** What the chain says of a Bubblegum tree. Addresses are base58. */
export interface TreeFacts extends TreeShape {
  readonly mintedCount: number;
  readonly creatorAddress: string;
  readonly delegateAddress: string;
  /** True when anyone may mint into it. */
  readonly isPublic: boolean;
  readonly isVersion2: boolean;
}

/** What the chain says of an mpl-core collection. A delegate is the address that may act, null where there is no such plugin. */
export interface CollectionFacts {
  readonly ownerAddress: string;
  /** Who may add tickets beside the owner. */
  readonly adderAddresses: readonly string[];
  readonly takesCompressed: boolean;
  readonly freezeDelegate: string | null;
  readonly transferDelegate: string | null;
  readonly burnDelegate: string | null;
  readonly isFrozen: boolean;
}

/** What the chain says of an address lookup table. */
export interface LookupTableFacts {
  /** True when it has no authority: nobody can add to it, deactivate or close it any more. */
  readonly isFrozen: boolean;
  /** False once somebody has begun to close it. */
  readonly isActive: boolean;
  /** False in the slot in which it was filled: what was added counts from the next one on. */
  readonly isSettled: boolean;
  readonly addresses: readonly string[];
  /** Addresses that mints into the tree name and that are not in it. */
  readonly lacks: readonly string[];
}

/** `missing`: nothing is at the address. `other`: something that is no such account. */
export type Inspected<Facts> = Facts | "missing" | "other";

/**
 * Says why the minting wallet cannot use a tree; empty when it can.
 * @param ticketCount tickets that must find room in it.
 */
export function judgeTree(
  found: Inspected<TreeFacts>,
  { walletAddress, ticketCount }: { readonly walletAddress: string; readonly ticketCount: number },
): FieldError[] {
  const say = (code: string, message: string): FieldError => ({ path: "address", code, message });
  if (found === "missing") return [say("no_account", "There is no account at this address.")];
  if (found === "other" || !found.isVersion2) return [say("not_a_tree", "This account is no tree of Bubblegum V2.")];
  const problems: FieldError[] = [];
  if (found.creatorAddress !== walletAddress && found.delegateAddress !== walletAddress) {
    const message = `Its delegate is ${found.delegateAddress}; name the minting wallet ${walletAddress} with setTreeDelegate.`;
    problems.push(say("not_delegated", message));
  }
  if (found.isPublic) problems.push(say("open_to_anyone", "Anyone may mint into this tree."));
  const capacity = capacityOf(found);
  const leftCount = capacity - found.mintedCount;
  if (leftCount < ticketCount || isNearlyFull({ capacity, mintedCount: found.mintedCount })) {
    problems.push(say("too_small", `It has room for ${leftCount} more of ${capacity} leaves.`));
  }
  return problems;
}

/**
 * Says why the minting wallet cannot use a collection; empty when it can.
 * @param path the field that named it.
 */
export function judgeCollection(
  found: Inspected<CollectionFacts>,
  { walletAddress, isFrozen, path }: { readonly walletAddress: string; readonly isFrozen: boolean; readonly path: string },
): FieldError[] {
  const say = (code: string, message: string): FieldError => ({ path, code, message });
  if (found === "missing") return [say("no_account", "There is no account at this address.")];
  if (found === "other") return [say("not_a_collection", "This account is no collection of mpl-core.")];
  const problems: FieldError[] = [];
  if (!found.takesCompressed) {
    problems.push(say("no_compressed", "It lacks the plugin BubblegumV2, so no compressed NFT can join it."));
  }
  if (!mayAddTo(found, walletAddress)) {
    problems.push(say("not_delegated", `Its owner has not named ${walletAddress} as an additional update delegate.`));
  }
  // Who may thaw a frozen collection is its owner's matter; the wallet has nothing to freeze in it.
  const needed = [...(isFrozen ? [] : ["Freeze" as const]), "Transfer" as const, "Burn" as const];
  const delegates = { Freeze: found.freezeDelegate, Transfer: found.transferDelegate, Burn: found.burnDelegate };
  for (const [name, delegate] of needed.map((plugin) => [plugin, delegates[plugin]] as const)) {
    if (delegate !== walletAddress) {
      problems.push(say("not_delegated", `Its plugin Permanent${name}Delegate is not given to ${walletAddress}.`));
    }
  }
  if (found.isFrozen !== isFrozen) {
    problems.push(
      isFrozen ? say("not_frozen", "It is not frozen.") : say("frozen", "It is frozen: its tickets could not move."),
    );
  }
  return problems;
}

/** True when an address may add tickets to a collection. */
export function mayAddTo({ ownerAddress, adderAddresses }: CollectionFacts, address: string): boolean {
  return ownerAddress === address || adderAddresses.includes(address);
}

/**
 * Says why mints into a tree cannot use a lookup table; empty when they can. Only one that nobody can change any more will do: it could
 * be closed while mints that need it are on their way. What it holds is never trusted: places are looked up by address.
 * @param path the field that named it.
 */
export function judgeLookupTable(found: Inspected<LookupTableFacts>, path: string): FieldError[] {
  const say = (code: string, message: string): FieldError => ({ path, code, message });
  if (found === "missing") return [say("no_account", "There is no account at this address.")];
  if (found === "other") return [say("not_a_table", "This account is no address lookup table.")];
  const problems: FieldError[] = [];
  if (!found.isFrozen) problems.push(say("not_frozen", "It has an authority, who could close it."));
  if (!found.isActive) problems.push(say("deactivated", "It is being closed."));
  if (found.lacks.length > 0) problems.push(say("incomplete", `It lacks ${found.lacks.join(", ")}.`));
  return problems;
}
