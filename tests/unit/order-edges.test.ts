import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { raise, type OrderRecord } from "#domain/order";
import { ticketIdOf } from "#domain/order-tickets";
import { ORDER_STATUS_RANK, ORDER_STATUSES } from "#domain/statuses";
import { happen, makeNews, makeOrder, makeRefundCommand, type Happening } from "../support/order-story.ts";

/** What may happen, in the words of the diagram. An input that the order is not ready for gives nothing. */
const INPUTS: Readonly<Record<string, readonly ((record: OrderRecord) => Happening | undefined)[]>> = {
  paid: [news("payment.succeeded")],
  "paid a wrong sum": [news("payment.succeeded", { amountCents: 999 })],
  declined: [news("payment.failed"), news("payment.canceled")],
  "hold over": [() => ({ kind: "expire" })],
  "buyer cancels": [() => ({ kind: "cancel" })],
  done: [() => ({ kind: "step", soldOut: false })],
  "sold out": [(record) => (record.step.kind === "confirm" ? { kind: "step", soldOut: true } : undefined)],
  "organiser refunds": [
    askFor(null, true),
    askFor(null, false),
    askFor([ticketIdOf(makeOrder().view.id, 1, 0)], true),
    askFor([ticketIdOf(makeOrder().view.id, 1, 0)], false),
  ],
  "refund taken": [() => ({ kind: "answer", status: "submitted" })],
  "money back": [aboutRefund("refund.succeeded"), news("refund.succeeded", { refundId: "theirs" })],
  "refund failed": [aboutRefund("refund.failed")],
  disputed: [news("dispute.opened")],
  "dispute won": [news("dispute.won")],
  "dispute lost": [news("dispute.lost")],
  "part of it lost": [news("dispute.lost", { amountCents: 500 })],
};

/** Refunds of one order that are tried: they may fail and be asked for again without end. */
const MOST_REFUNDS = 2;

function news(...facts: Parameters<typeof makeNews>): () => Happening {
  return () => ({ kind: "news", news: makeNews(...facts) });
}

function askFor(ticketIds: readonly string[] | null, restock: boolean): (record: OrderRecord) => Happening | undefined {
  return ({ refunds, version }) =>
    refunds.length < MOST_REFUNDS
      ? { kind: "refund", command: makeRefundCommand(`key-${version}`, { ticketIds, restock }) }
      : undefined;
}

function aboutRefund(type: "refund.succeeded" | "refund.failed"): (record: OrderRecord) => Happening | undefined {
  return ({ refunds, version }) => {
    const refund = refunds.find(({ status, reason }) => `refund.${status}` !== type && reason !== "provider");
    if (!refund) return undefined;
    const changes = { refundId: refund.id, amountCents: refund.amountCents, occurredAtMs: version };
    return { kind: "news", news: makeNews(type, changes) };
  };
}

/** The order's status, with the step that its desk is at. */
function orderStateOf({ view, step }: OrderRecord): string {
  return step.kind === "none" ? view.status : `${view.status}_${step.kind}`;
}

function paymentStateOf({ view }: OrderRecord): string {
  return view.payment?.status ?? "none";
}

/** All that tells one order from another here; how often something was tried does not. */
function identityOf(record: OrderRecord): string {
  const { refunds, disputes, recalled, step } = record;
  const restock = step.kind === "revoke" && step.recall.restock;
  const money = refunds.map(({ status, reason, ticketIds }) => [status, reason, ticketIds.length]);
  return JSON.stringify([orderStateOf(record), paymentStateOf(record), money, disputes, recalled, step, restock]).replaceAll(
    /"(id|commandId)":"[^"]*"/g,
    "",
  );
}

/** Every order that can come to be, and every way from one state to another. */
function walk(): {
  readonly orderEdges: readonly string[];
  readonly paymentEdges: readonly string[];
  readonly pairs: readonly string[];
} {
  const first = makeOrder();
  const seen = new Set([identityOf(first)]);
  const open = [first];
  const orderEdges = new Set<string>();
  const paymentEdges = new Set<string>();
  const pairs = new Set<string>();
  for (let record = open.pop(); record; record = open.pop()) {
    pairs.add(`${orderStateOf(record)} ${paymentStateOf(record)}`);
    for (const next of listNext(record)) {
      noteEdge(orderEdges, orderStateOf(record), next.input, orderStateOf(next.record));
      noteEdge(paymentEdges, paymentStateOf(record), next.input, paymentStateOf(next.record));
      if (seen.has(identityOf(next.record))) continue;
      seen.add(identityOf(next.record));
      open.push(next.record);
    }
  }
  return { orderEdges: [...orderEdges], paymentEdges: [...paymentEdges], pairs: [...pairs] };
}

function listNext(record: OrderRecord): { readonly input: string; readonly record: OrderRecord }[] {
  return Object.entries(INPUTS).flatMap(([input, ways]) =>
    ways.flatMap((way) => {
      const happening = way(record);
      // At an even moment the first line of a sold-out order was sold, at an odd one none was.
      const results = happening ? [0, 1].map((moment) => happen(record, happening, moment)) : [];
      return results.filter(({ waiting }) => !waiting).map((next) => ({ input, record: next }));
    }),
  );
}

function noteEdge(edges: Set<string>, from: string, input: string, to: string): void {
  if (from !== to) edges.add(`${from} --> ${to}: ${input}`);
}

const DOCS = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8");

/** The edges that the diagram draws in one of its parts, one for each word on an arrow. */
function drawnEdges(part: "The order" | "The payment"): string[] {
  const diagram = /```mermaid\nstateDiagram-v2\n {2}state "The order"[^]*?```/.exec(DOCS)?.[0] ?? "";
  const region = diagram.split(/ {2}state "(?=The )/).find((text) => text.startsWith(part)) ?? "";
  return [...region.matchAll(/^ +(\w+) --> (\w+): (.+)$/gm)].flatMap(([, from = "", to = "", words = ""]) =>
    words.split(", ").map((word) => `${from} --> ${to}: ${word}`),
  );
}

/** What the table below the diagram says a payment may be while the order is at something. */
function drawnPairs(): string[] {
  const rows = [...DOCS.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| ((?:`\w+`(?:, )?)+) \|$/gm)];
  const words = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word);
  return rows.flatMap(([, orders = "", payments = ""]) =>
    words(orders).flatMap((order) => words(payments).map((payment) => `${order} ${payment}`)),
  );
}

/** Edges that the mint walks, which the desk does not hear of. */
const OF_THE_MINT = (edge: string): boolean => /: (minted|mint given up)$/.test(edge);

describe("the diagram of an order and its payment", () => {
  const { orderEdges, paymentEdges, pairs } = walk();

  it("draws every way an order can go, and no other can be gone", () => {
    const drawn = drawnEdges("The order").filter((edge) => !OF_THE_MINT(edge));
    expect(drawn.length).toBeGreaterThan(30);
    expect(drawn.toSorted()).toEqual(orderEdges.toSorted());
  });

  it("draws every way a payment can go, and no other can be gone", () => {
    const drawn = drawnEdges("The payment");
    expect(drawn.length).toBeGreaterThan(10);
    expect(drawn.toSorted()).toEqual(paymentEdges.toSorted());
  });

  it("says which states of the two go together, and no others do", () => {
    expect(drawnPairs().toSorted()).toEqual(pairs.toSorted());
  });

  it("lets a mint raise the status of an order with tickets, and nothing ever lower one", () => {
    const minted = drawnEdges("The order").filter(OF_THE_MINT);
    expect(minted).toHaveLength(3);
    for (const from of ORDER_STATUSES) {
      for (const to of ORDER_STATUSES) {
        const { status } = raise(makeOrder({ status: from }).view, to);
        expect(status).toBe(ORDER_STATUS_RANK[to] > ORDER_STATUS_RANK[from] ? to : from);
      }
    }
    for (const edge of minted) {
      const [from, to] = edge.replace(/:.*/, "").split(" --> ") as [
        keyof typeof ORDER_STATUS_RANK,
        keyof typeof ORDER_STATUS_RANK,
      ];
      expect(ORDER_STATUS_RANK[to]).toBeGreaterThan(ORDER_STATUS_RANK[from]);
    }
  });
});
