/** Money that came by another way than a provider goes back by hand, and somebody says that it did. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { send, signIn, type Caller, type CheckedAnswer } from "../support/contract-call.ts";
import { buy, flushDeskOf, idOf, openSale, runDeskOf, type Sale } from "../support/open-sale.ts";
import { sellPaid } from "../support/paid-over-http.ts";
import { newestOf, serveOutside, signBody } from "../support/payment-provider-at-test.ts";

beforeEach(() => {
  serveOutside();
});
afterEach(() => {
  vi.restoreAllMocks();
});

interface RefundByHand {
  readonly sale: Sale;
  readonly buyer: Caller;
  readonly path: string;
  readonly refundId: string;
  readonly markPaid: (by: Caller) => Promise<CheckedAnswer>;
  readonly list: (caller: Caller) => Promise<unknown>;
}

/** An order that was paid by bank transfer and is to be paid back. */
async function refundBankTransfer(): Promise<RefundByHand> {
  const sale = await openSale();
  const buyer = await sale.makeBuyer();
  const orderId = idOf(await buy(sale, buyer));
  await flushDeskOf(orderId);
  const headers = signBody("", { webhookId: `bank-${orderId}`, secret: newestOf(env.INTERNAL_WEBHOOK_SECRETS) });
  expect((await send("POST", `/internal/orders/${orderId}/mark-paid`, { headers })).status).toBe(200);
  const path = `/api/v1/orders/${orderId}`;
  const body = { reason: "The concert is off" };
  expect(await sale.manager.call("POST", `${path}/refund`, { key: "refund", body })).toMatchObject({ status: 200 });
  const refundId = await env.DB.prepare("SELECT id FROM refunds WHERE order_id = ?").bind(orderId).first<string>("id");
  return {
    sale,
    buyer,
    path,
    refundId: refundId ?? "",
    markPaid: (by) => by.call("POST", `${path}/refunds/${refundId}/mark-paid`),
    list: async (caller) => {
      await runDeskOf(orderId);
      return (await caller.call("GET", `${path}/refunds`)).body["items"];
    },
  };
}

describe("a refund of money that no provider took", () => {
  it("waits for somebody who pays it, and is done when they say so, by whom", async () => {
    const { sale, buyer, path, refundId, markPaid, list } = await refundBankTransfer();
    expect(await list(sale.manager)).toMatchObject([{ id: refundId, status: "submitted", amountCents: 4_500 }]);
    expect((await buyer.call("GET", path)).body).toMatchObject({ status: "REFUNDED", payment: { status: "SUCCEEDED" } });
    for (const _ of ["first", "again"]) {
      expect(await markPaid(sale.manager)).toMatchObject({
        status: 200,
        body: { id: refundId, status: "succeeded", settledBy: sale.manager.userId },
      });
    }
    await expect.poll(() => list(sale.manager)).toMatchObject([{ status: "succeeded", settledBy: sale.manager.userId }]);
    expect((await buyer.call("GET", path)).body).toMatchObject({ payment: { status: "REFUNDED" }, refundedCents: 4_500 });
    const [seen] = (await list(buyer)) as Readonly<Record<string, unknown>>[]; // the shape was checked
    expect([seen?.["status"], seen?.["settledBy"]]).toEqual(["succeeded", undefined]);
  });

  it("keeps the name of who said so first", async () => {
    const { sale, markPaid, list } = await refundBankTransfer();
    await markPaid(sale.manager);
    await markPaid(await signIn("venue_manager", sale.tenantId));
    await expect.poll(() => list(sale.manager)).toMatchObject([{ status: "succeeded", settledBy: sale.manager.userId }]);
  });

  it("is not there for another tenant's manager, and not for the buyer to say", async () => {
    const { buyer, markPaid, path, sale } = await refundBankTransfer();
    expect(await markPaid(await signIn("venue_manager", crypto.randomUUID()))).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
    expect(await markPaid(buyer)).toMatchObject({ status: 403, body: { code: "forbidden" } });
    const unknown = await sale.manager.call("POST", `${path}/refunds/${crypto.randomUUID()}/mark-paid`);
    expect(unknown).toMatchObject({ status: 404, body: { code: "not_found" } });
  });
});

it("a refund that a provider pays is done when the provider says so, not when a manager does", async () => {
  const sold = await sellPaid(1);
  const { sale, orderId, path } = sold;
  await sold.refund();
  await runDeskOf(orderId);
  const refundId = await env.DB.prepare("SELECT id FROM refunds WHERE order_id = ?").bind(orderId).first<string>("id");
  const answer = await sale.manager.call("POST", `${path}/refunds/${refundId}/mark-paid`);
  expect(answer).toMatchObject({ status: 409, body: { code: "refund_not_by_hand" } });
});
