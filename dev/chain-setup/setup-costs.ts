import { MOST_COLLECTIONS } from "#chain/lookup-table";
import { capacityOf, countTreeBytes, reserveOf, type TreeShape } from "#domain/tree-shape";

/** Lamports that Bubblegum itself takes for a mint, whatever the cluster. */
export const MINT_PROTOCOL_LAMPORTS = 90_000;
/** Lamports that the cluster takes for a signature. */
export const SIGNATURE_LAMPORTS = 5_000;

/** Bytes of Bubblegum's config of a tree. */
const TREE_CONFIG_BYTES = 96;
const ADDRESS_BYTES = 32;
/** Bytes of a tree's lookup table: its head, and the seven addresses that every mint into the tree names. */
export const LOOKUP_TABLE_BYTES = 56 + 7 * ADDRESS_BYTES;
/** Bytes of a provisioned collection without its two texts: head, five plugins and their registry. */
const COLLECTION_FRAME_BYTES = 287;
const LAMPORTS_A_SOL = 1_000_000_000;

/** Something that the owner pays for. */
export interface CostLine {
  readonly what: string;
  readonly bytes: number;
  readonly lamports: number;
}

/** The cluster's own answer to `getMinimumBalanceForRentExemption`. */
export type RentOf = (byteCount: number) => Promise<number>;

/** Bytes of a provisioned collection's account. */
export function countCollectionBytes({ name, uri }: { readonly name: string; readonly uri: string }): number {
  return COLLECTION_FRAME_BYTES + Buffer.byteLength(name) + Buffer.byteLength(uri);
}

/** What a tree with its lookup table and collections cost their owner, with the transactions that make them. */
export async function listSetupCosts(
  rentOf: RentOf,
  wanted: {
    readonly shape: TreeShape;
    readonly collections: readonly { readonly what: string; readonly name: string; readonly uri: string }[];
    /** Of a transaction with two signatures. */
    readonly feeLamports: number;
  },
): Promise<CostLine[]> {
  const { shape, collections, feeLamports } = wanted;
  const treeBytes = countTreeBytes(shape);
  const tableBytes = LOOKUP_TABLE_BYTES + Math.min(collections.length, MOST_COLLECTIONS) * ADDRESS_BYTES;
  const lines: CostLine[] = [
    { what: describeShape(shape), bytes: treeBytes, lamports: await rentOf(treeBytes) },
    { what: "its config", bytes: TREE_CONFIG_BYTES, lamports: await rentOf(TREE_CONFIG_BYTES) },
    { what: "its lookup table", bytes: tableBytes, lamports: await rentOf(tableBytes) },
  ];
  for (const collection of collections) {
    const bytes = countCollectionBytes(collection);
    lines.push({ what: `${collection.what} "${collection.name}"`, bytes, lamports: await rentOf(bytes) });
  }
  const transactionCount = 2 + collections.length;
  return [...lines, { what: `${transactionCount} transactions`, bytes: 0, lamports: transactionCount * feeLamports }];
}

/** The lines as a table with their sum, and what a ticket costs on top. */
export function formatSetupCosts(lines: readonly CostLine[], shape: TreeShape): string {
  const total = lines.reduce((sum, { lamports }) => sum + lamports, 0);
  const rows = [...lines, { what: "to be paid by the owner now", bytes: 0, lamports: total }];
  const width = Math.max(...rows.map(({ what }) => what.length));
  const table = rows.map(({ what, bytes, lamports }) =>
    [what.padEnd(width), (bytes === 0 ? "" : bytes.toLocaleString("en")).padStart(9), toSol(lamports).padStart(14)].join("  "),
  );
  const ticketCount = capacityOf(shape) - reserveOf(capacityOf(shape));
  const mint = (batchSize: number): number => MINT_PROTOCOL_LAMPORTS + SIGNATURE_LAMPORTS / batchSize;
  const all = (batchSize: number): string => toSol(ticketCount * mint(batchSize));
  return [
    [" ".repeat(width), "bytes".padStart(9), "SOL".padStart(14)].join("  "),
    ...table,
    "",
    `The tree takes ${ticketCount.toLocaleString("en")} tickets: ${Math.ceil(total / ticketCount).toLocaleString("en")} lamports of the above each.`,
    `The minting wallet pays ${mint(1).toLocaleString("en")} lamports a ticket (${mint(5).toLocaleString("en")} with five in a transaction) and what it bids`,
    `for priority: ${all(1)} SOL (${all(5)}) for all of them.`,
  ].join("\n");
}

/** A tree's measures in words. */
export function describeShape({ depth, bufferSize, canopyDepth }: TreeShape): string {
  return `tree ${depth}/${bufferSize}/${canopyDepth} (${(2 ** depth).toLocaleString("en")} leaves)`;
}

/** Lamports as SOL. */
export function toSol(lamports: number): string {
  return (lamports / LAMPORTS_A_SOL).toFixed(6);
}
