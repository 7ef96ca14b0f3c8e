import { findTreeConfigPda, mintV2 } from "@metaplex-foundation/mpl-bubblegum";
import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import {
  lamports,
  publicKey,
  transactionBuilder,
  type AddressLookupTableInput,
  type Pda,
  type TransactionBuilder,
  type Umi,
} from "@metaplex-foundation/umi";
import { decideBatchLimit, decideComputeUnits, type TransactionVersion } from "#domain/mint-batches";
import type { MintBatch, MintableTicket, SigningResult } from "./minter.ts";
import { signTransaction, type Blockhash } from "./sign-transaction.ts";

const MICRO_LAMPORTS_A_LAMPORT = 1_000_000;

/** What a transaction is signed with. */
export interface SigningTerms {
  readonly blockhash: Blockhash;
  readonly priceMicroLamports: number;
  /** Holds what every mint into the tree names; without it each address takes 32 bytes. */
  readonly lookupTable: AddressLookupTableInput | undefined;
  /** Of the message; version 1 takes no lookup table and needs none. */
  readonly version: TransactionVersion;
}

interface BuiltMint {
  readonly ticketId: string;
  readonly builder: TransactionBuilder;
}

/** Signs a transaction that mints the first tickets of a batch, as many as fit; see {@link SigningResult}. */
export async function signMints(umi: Umi, batch: MintBatch, terms: SigningTerms): Promise<SigningResult> {
  const tickets = batch.tickets.slice(0, decideBatchLimit(batch.attempts, terms.version));
  const { built, unfit } = buildMints(umi, { ...batch, tickets });
  const compose = (count: number): TransactionBuilder => composeMints(umi, built.slice(0, count), terms);
  // Each size is measured on the transaction itself: names, addresses of owners and the bid all take bytes.
  const count = findFitting(umi, built.length, compose);
  if (count === 0) {
    const tooLong = built.slice(0, 1).map(({ ticketId }) => ({ ticketId, reason: "its mint does not fit into a transaction" }));
    return { signed: null, ticketIds: [], unfit: [...unfit, ...tooLong] };
  }
  const signed = await signTransaction(umi, compose(count), terms.blockhash);
  return { signed, ticketIds: built.slice(0, count).map(({ ticketId }) => ticketId), unfit };
}

function buildMints(umi: Umi, batch: MintBatch): { built: BuiltMint[]; unfit: SigningResult["unfit"] } {
  const treeConfig = findTreeConfigPda(umi, { merkleTree: publicKey(batch.treeAddress) });
  const built: BuiltMint[] = [];
  const unfit: { ticketId: string; reason: string }[] = [];
  for (const ticket of batch.tickets) {
    try {
      built.push({ ticketId: ticket.ticketId, builder: buildMint(umi, batch, ticket, treeConfig) });
    } catch (error) {
      // Building asks nobody, so what fails here fails every time: an address that is none, a text too long for its length field.
      unfit.push({ ticketId: ticket.ticketId, reason: error instanceof Error ? error.message : "it can't be built" });
    }
  }
  return { built, unfit };
}

function buildMint(umi: Umi, batch: MintBatch, ticket: MintableTicket, treeConfig: Pda): TransactionBuilder {
  const collection = publicKey(batch.collectionAddress);
  return mintV2(umi, {
    treeConfig,
    merkleTree: publicKey(batch.treeAddress),
    coreCollection: collection,
    leafOwner: ticket.ownerAddress === null ? umi.identity.publicKey : publicKey(ticket.ownerAddress),
    // Royalties are given in full: with a collection, the default of "inherit" is refused (MetadataBasisPointsTooHigh).
    metadata: { name: ticket.name, uri: ticket.uri, sellerFeeBasisPoints: 0, creators: [], collection },
  });
}

function composeMints(umi: Umi, mints: readonly BuiltMint[], terms: SigningTerms): TransactionBuilder {
  const units = decideComputeUnits(mints.length);
  const work = mints.reduce((before, { builder }) => before.add(builder), transactionBuilder());
  return terms.version === 1 ? composeVersion1(work, units, terms) : composeVersion0(umi, work, units, terms);
}

/** The budget stands in the message, and the bid in it is the sum. */
function composeVersion1(work: TransactionBuilder, units: number, { priceMicroLamports }: SigningTerms): TransactionBuilder {
  const bid = Math.ceil((units * priceMicroLamports) / MICRO_LAMPORTS_A_LAMPORT);
  const priced = bid === 0 ? {} : { priorityFee: lamports(bid) };
  return work.useV1().setTransactionConfig({ computeUnitLimit: units, ...priced });
}

function composeVersion0(
  umi: Umi,
  work: TransactionBuilder,
  units: number,
  { priceMicroLamports, lookupTable }: SigningTerms,
): TransactionBuilder {
  const limit = setComputeUnitLimit(umi, { units });
  // No bid takes no instruction: its bytes are for mints.
  const priced = priceMicroLamports === 0 ? limit : limit.add(setComputeUnitPrice(umi, { microLamports: priceMicroLamports }));
  return priced.add(work).setAddressLookupTables(lookupTable === undefined ? [] : [lookupTable]);
}

function findFitting(umi: Umi, most: number, compose: (count: number) => TransactionBuilder): number {
  for (let count = most; count > 0; count -= 1) {
    if (compose(count).fitsInOneTransaction(umi)) return count;
  }
  return 0;
}
