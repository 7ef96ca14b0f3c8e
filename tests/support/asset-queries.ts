/** The statements of the work on assets and of the tree index, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { selectTickets } from "#storage/mint-statements";
import * as work from "#storage/asset-work";
import * as index from "#storage/tree-index";
import * as news from "#storage/leaf-news";
import * as claims from "#storage/wallet-claims";

const ticket = { tenantId: "t", ticketId: "k" };
const unsigned = { signature: null, wireBase64: null, lastValidBlockHeight: null, attempts: 0 };
const burn: work.AssetWork = { ...ticket, ...unsigned, kind: "burn", id: "k" };
const move: work.AssetWork = { ...ticket, ...unsigned, kind: "move", id: "f", signature: "p" };
const signed = { signature: "s", wireBase64: "w", lastValidBlockHeight: 1, lastError: null, nowMs: 1 };
const task: work.AssetTask = {
  ...ticket,
  orderId: "o",
  walletAddress: null,
  collectionAddress: null,
  mint: null,
  isCancelled: true,
  work: burn,
  sinceSeq: 0,
};
const shape = { depth: 14, bufferSize: 64, canopyDepth: 8 };
const tree: index.FollowedTree = { address: "a", ...shape, seq: 0, slot: 0, passedSignature: null };
const change = { seq: 1, slot: 1, signature: "s", index: 0, path: [], root: new Uint8Array(32), leaf: null };

const leafChange = { treeAddress: "a", leafIndex: 1, seq: 1 };
const named: news.NamedTicket = {
  id: "k",
  tenantId: "t",
  eventId: "e",
  ownerUserId: "u",
  credentialEpoch: 0,
  status: "SOLD",
  admittedAtMs: null,
  isCancelled: false,
  isTransferable: true,
  walletAddress: null,
  heldByAddress: "x",
  isHoldDone: false,
  isMoving: false,
  isAstray: false,
};
const challenge: claims.StoredChallenge = {
  ...ticket,
  id: "c",
  userId: "u",
  walletAddress: "w",
  issuedAtMs: 1,
  expiresAtMs: 2,
  claimedAtMs: null,
};

/** Calls by the name of their function. */
export const ASSET_QUERIES: Readonly<Record<string, (db: DrizzleD1Database, d1: D1Database) => Promise<unknown>>> = {
  findAssetTask: (db) => work.findAssetTask(db, ticket),
  "storeSignedWork of a move": (db) => work.storeSignedWork(db, move, signed),
  "storeSignedWork of a burn": (db) => work.storeSignedWork(db, burn, signed),
  noteWork: (db) => work.noteWork(db, move, "error", 1),
  finishWork: (db) => work.finishWork(db, burn, 1, 1),
  failWork: (db) => work.failWork(db, move, "error", 1),
  endUnminted: (db) => work.endUnminted(db, task, 1),
  "requeueFailedWork of an order": (db) => work.requeueFailedWork(db, "t", selectTickets({ orderId: "o" }), 1),
  "requeueFailedWork of tickets": (db) => work.requeueFailedWork(db, "t", selectTickets({ ticketIds: ["k"] }), 1),
  claimStaleWork: (db) => work.claimStaleWork(db, { beforeMs: 1, nowMs: 2, limit: 50 }),
  findFollowedTree: (db) => index.findFollowedTree(db, "a"),
  listTreesToFollow: (db) => index.listTreesToFollow(db, 100),
  insertFollowedTree: (db) => index.insertFollowedTree(db, tree, 1),
  loadTreeNodes: (db) => index.loadTreeNodes(db, "a", [1, 2]),
  storeTreeChanges: (_, d1) => index.storeTreeChanges(d1, tree, [change], [], 1),
  storePassedSignature: (db) => index.storePassedSignature(db, tree, "s"),
  resetFollowedTree: (_, d1) => index.resetFollowedTree(d1, tree, 1),
  findTreeOfTicket: (db) => index.findTreeOfTicket(db, ticket),
  findAssetOnChain: (db) => index.findAssetOnChain(db, "x"),
  findIndexedLeaf: (_, d1) => index.findIndexedLeaf(d1, "x"),
  findClaimableTicket: (db) => claims.findClaimableTicket(db, "t", "k"),
  insertChallenge: (db) => claims.insertChallenge(db, challenge),
  findChallenge: (db) => claims.findChallenge(db, "t", "c"),
  completeHolderClaim: (db) => claims.completeHolderClaim(db, challenge, "v", 1),
  listLeafNews: (_, d1) => news.listLeafNews(d1, 1, 10),
  scheduleLeafNews: (_, d1) => news.scheduleLeafNews(d1, [leafChange], null),
  setHolder: (_, d1) => news.setHolder(d1, named, "y"),
  completeHold: (_, d1) => news.completeHold(d1, named, 1),
  abandonHold: (_, d1) => news.abandonHold(d1, named),
  settleLastMove: (_, d1) => news.settleLastMove(d1, named, 1, 1),
  releaseTicket: (_, d1) => news.releaseTicket(d1, named),
  completeClaim: (db) => claims.completeClaim(db, challenge, 1),
};
