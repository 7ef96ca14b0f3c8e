/** A payment provider and a D1 whose every call a test may break. */
import { env } from "cloudflare:workers";
import { refuse, succeed } from "#domain/result";
import type { PaymentProvider, RefundRequest } from "#payments/payment-provider";

/** Calls that leave a desk. */
export type Call = "reserve" | "confirm" | "release" | "restock" | "refund" | "lease" | "d1" | "mint";

/** Makes a call in the name of one desk, or breaks it. */
export type MakeCall = <T>(name: Call, make: () => T | Promise<T>) => Promise<T>;

/** A provider that takes refunds, each key once, into `refunds`. */
export function makeProvider(call: MakeCall, refunds: Map<string, RefundRequest>): PaymentProvider {
  return {
    name: "standard",
    createPayment: async () => refuse({ code: "payment_provider_down", retryAfterSeconds: 1, reason: "unreachable" }),
    verifyWebhook: async () => refuse({ code: "webhook_malformed", paths: [] }),
    requestRefund: (request, key) =>
      call("refund", () => {
        const known = refunds.get(key);
        if (known && JSON.stringify(known) !== JSON.stringify(request))
          throw new Error("a refund's key came back with another body");
        refunds.set(key, request);
        return succeed({ refundId: `refund-${key}`, status: "submitted" });
      }),
  };
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
