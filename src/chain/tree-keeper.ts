import type { CollectionFacts, Inspected, LookupTableFacts, TreeFacts } from "#domain/chain-suitability";
import type { TreeShape } from "#domain/tree-shape";

/** Which of a tenant's trees is meant. */
export interface TreeName {
  readonly tenantId: string;
  readonly number: number;
}

/**
 * Makes and looks at the accounts that minting needs, with the minting wallet's key. Every method throws when the node can't be
 * reached.
 */
export interface TreeKeeper {
  /** Base58 address of the minting wallet. */
  readonly walletAddress: string;
  /** The tree of tenants that have none of their own. */
  readonly defaultTreeAddress: string;
  /** That tree's lookup table; null when it has none. */
  readonly defaultLookupTableAddress: string | null;
  /** The address of a tree that the wallet makes itself; it derives from wallet, tenant and number. */
  deriveTreeAddress(name: TreeName): Promise<string>;
  /**
   * Makes the tree unless it exists. A repeat finds it at its derived address.
   * @returns null when it is on chain, else what the node complained of, or "sent": ask again.
   */
  openTree(name: TreeName, shape: TreeShape): Promise<string | null>;
  /**
   * Makes a tree's lookup table unless the wallet has made it before.
   * @returns its address once it is on chain, else null: ask again.
   * @throws RpcError too, when the node refuses the transaction.
   */
  openLookupTable(treeAddress: string): Promise<string | null>;
  inspectLookupTable(address: string, treeAddress: string): Promise<Inspected<LookupTableFacts>>;
  inspectTree(address: string): Promise<Inspected<TreeFacts>>;
  inspectCollection(address: string): Promise<Inspected<CollectionFacts>>;
}
