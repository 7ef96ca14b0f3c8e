/** A payment provider, inventories, a mint queue and a D1 whose every call a test may break. */
import { env } from "cloudflare:workers";
import type { InventoryCommand, InventoryOutcome } from "#domain/inventory-group";
import type { ConfirmOutcome, InventoryPort, InventorySnapshot, ReserveOutcome } from "#domain/inventory-messages";
import type { MintMessage } from "#domain/order-messages";
import { makeRefundOnlyProvider } from "#dev/simulate/refund-only-provider";
import { succeed } from "#domain/result";
import type { PaymentProvider, RefundRequest } from "#payments/payment-provider";

/** Calls that leave a desk. */
export type Call = "reserve" | "confirm" | "release" | "restock" | "refund" | "lease" | "d1" | "mint" | "recall" | "block";

/** Makes a call in the name of one desk, or breaks it. */
export type MakeCall = <T>(name: Call, make: () => T | Promise<T>) => Promise<T>;

/** A provider that takes refunds, each key once, into `refunds`. A desk asks it nothing else. */
export function makeProvider(call: MakeCall, refunds: Map<string, RefundRequest>): PaymentProvider {
  return makeRefundOnlyProvider((request, key) =>
    call("refund", () => {
      const known = refunds.get(key);
      if (known && JSON.stringify(known) !== JSON.stringify(request))
        throw new Error("a refund's key came back with another body");
      refunds.set(key, request);
      return succeed({ refundId: `refund-${key}`, status: "submitted" });
    }),
  );
}

/** The tests' own D1, whose batches may fail. */
export function makeBreakableD1(call: MakeCall): D1Database {
  return new Proxy(env.DB, {
    get: (db, name) => {
      const member: unknown = Reflect.get(db, name);
      if (name === "batch") return (statements: D1PreparedStatement[]) => call("d1", () => db.batch(statements));
      return typeof member === "function" ? (member.bind(db) as unknown) : member;
    },
  });
}

/** An inventory that answers by `tell`. */
export function makeInventory(
  call: MakeCall,
  tell: (command: InventoryCommand) => InventoryOutcome,
  snapshot: () => InventorySnapshot | undefined,
): InventoryPort {
  const ask = <T>(name: Call, command: InventoryCommand): Promise<T> => call(name, () => answerOf<T>(tell(command)));
  const unused = (): never => {
    throw new Error("a desk does not ask this");
  };
  return {
    configure: unused,
    snapshot: unused,
    reserve: (commands) =>
      call("reserve", () => ({
        outcomes: commands.map((command) => answerOf<ReserveOutcome>(tell({ kind: "reserve", command }))),
        snapshot: snapshot(),
      })),
    confirm: (commands) =>
      call("confirm", () => commands.map((command) => answerOf<ConfirmOutcome>(tell({ kind: "confirm", command })))),
    release: (command) => ask("release", { kind: "release", command }),
    restock: (command) => ask("restock", { kind: "restock", command }),
  };
}

function answerOf<T>(outcome: InventoryOutcome): T {
  if (outcome.kind === "sweep") throw new Error("a desk does not sweep");
  return outcome.outcome as T; // an outcome is of its command's kind
}

/** A queue that keeps what it is sent in `queued`. */
export function makeMintQueue(call: MakeCall, queued: MintMessage[]): Queue<MintMessage> {
  const sendBatch = (messages: Iterable<{ body: MintMessage }>): Promise<void> =>
    call("mint", () => {
      for (const { body } of messages) queued.push(body);
    });
  return { sendBatch, send: () => Promise.reject(new Error("a desk sends batches")) } as unknown as Queue<MintMessage>; // all it uses
}
