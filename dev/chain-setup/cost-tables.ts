import { capacityOf, reserveOf } from "#domain/tree-shape";
import type { MeasuredCosts, MeasuredShape } from "./measure-mints.ts";
import { LOOKUP_TABLE_BYTES, toSol } from "./setup-costs.ts";

/** The measured costs as two Markdown tables. */
export function formatCostTables({ mode, isLocalRent, lookupTableLamports, shapes }: MeasuredCosts): string {
  const whose = mode === "programs" ? "the real Metaplex programs" : "the emulator of the Metaplex programs";
  const rent = isLocalRent ? "as the local chain reckons it, by Solana's default" : "as the cluster asks it";
  return [
    `Fees were measured on the local chain, running ${whose}; rent is ${rent}. A priority fee comes on top.`,
    "",
    row(["Tree: depth/buffer/canopy", "Tickets", "Bytes", "Rent, SOL", "Rent a ticket, lamports"]),
    row(["---", "--:", "--:", "--:", "--:"]),
    ...shapes.map((measured) =>
      row([
        nameOf(measured),
        count(ticketsOf(measured)),
        count(measured.bytes),
        toSol(measured.rentLamports),
        count(rentATicket(measured)),
      ]),
    ),
    "",
    `A tree's lookup table has ${LOOKUP_TABLE_BYTES} bytes and costs ${toSol(lookupTableLamports)} SOL once, its transaction included.`,
    "",
    "Lamports a ticket, rent included, by how many tickets are minted in one transaction (ten in one of version 1):",
    "",
    row(["Tree", ...batchSizes(shapes).map(String)]),
    row(["---", ...batchSizes(shapes).map(() => "--:")]),
    ...shapes.map((measured) =>
      row([nameOf(measured), ...[...measured.lamportsByBatch.values()].map((fee) => count(fee + rentATicket(measured)))]),
    ),
  ].join("\n");
}

function batchSizes(shapes: readonly MeasuredShape[]): number[] {
  return [...(shapes[0]?.lamportsByBatch.keys() ?? [])];
}

function ticketsOf({ shape }: MeasuredShape): number {
  return capacityOf(shape) - reserveOf(capacityOf(shape));
}

function rentATicket(measured: MeasuredShape): number {
  return measured.rentLamports / ticketsOf(measured);
}

function nameOf({ shape: { depth, bufferSize, canopyDepth } }: MeasuredShape): string {
  return `${depth}/${bufferSize}/${canopyDepth}`;
}

function count(value: number): string {
  return Math.ceil(value).toLocaleString("en");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
