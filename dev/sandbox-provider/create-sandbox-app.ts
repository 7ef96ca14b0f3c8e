import { randomBytes } from "node:crypto";
import { Hono, type Context } from "hono";
import type { z } from "zod";
import { renderCheckoutPage, renderUnknownPayment } from "./checkout-page.ts";
import type { EventRecord, EventSender } from "./event-sender.ts";
import { NO_TROUBLE, PAYMENT_ACTIONS, PaymentActions } from "./payment-actions.ts";
import { PaymentBook, type SandboxPayment } from "./payment-book.ts";
import {
  eventQuerySchema,
  paymentOrderSchema,
  refundOrderSchema,
  refundTroubleSchema,
  troubleSchema,
  type RefundTrouble,
} from "./wire-schemas.ts";

/** What the provider's application is made with. */
export interface SandboxAppOptions {
  readonly sender: EventSender;
  /** Where a payer goes after the checkout; `{orderId}` in it is replaced. */
  readonly checkoutReturnUrl?: string;
}

/** The sandbox provider's HTTP interface: what the service calls, what a payer sees, and what a test may inspect. */
export function createSandboxApp(options: SandboxAppOptions): Hono {
  const app = new Hono();
  const book = new PaymentBook();
  const actions = new PaymentActions(options.sender);
  app.get("/health", (c) => c.json({ status: "ok" }));
  addEventRoute(app, options.sender);
  app.get("/refunds", (c) => c.json({ items: book.listRefunds() }));
  addPaymentRoutes(app, book, actions);
  addRefundRoute(app, book, actions);
  addCheckoutRoutes(app, book, actions, options.checkoutReturnUrl);
  app.notFound((c) => answerProblem(c, 404, "not_found", "no such path"));
  app.onError((error, c) => answerProblem(c, 500, "internal_error", error.message));
  return app;
}

function addPaymentRoutes(app: Hono, book: PaymentBook, actions: PaymentActions): void {
  app.post("/payments", async (c) => {
    const rawBody = await c.req.text();
    const key = c.req.header("idempotency-key");
    if (!key) return answerProblem(c, 400, "idempotency_key_required", "send an Idempotency-Key");
    const order = paymentOrderSchema.safeParse(parseJson(rawBody));
    if (!order.success) return answerInvalid(c, order.error);
    const booked = book.createPayment(order.data, key, rawBody, new URL(c.req.url).origin);
    if (booked.outcome === "conflict") return answerConflict(c);
    return c.json(booked.value, booked.outcome === "created" ? 201 : 200);
  });

  app.get("/payments/:id", (c) => {
    const payment = book.findPayment(c.req.param("id"));
    return payment === undefined ? answerUnknownPayment(c) : c.json(payment);
  });

  for (const action of PAYMENT_ACTIONS) {
    app.post(`/payments/:id/${action}`, (c) => {
      const payment = book.findPayment(c.req.param("id"));
      if (payment === undefined) return answerUnknownPayment(c);
      const trouble = troubleSchema.safeParse(c.req.query());
      if (!trouble.success) return answerInvalid(c, trouble.error);
      const outcome = actions.act(action, payment, trouble.data);
      if (!outcome.ok) return answerProblem(c, 409, "not_possible_now", outcome.detail);
      return c.json({ eventIds: outcome.eventIds, payment }, 202);
    });
  }
}

/** Events oldest first. What was not delivered is here to be fetched, under the id that a later delivery will have. */
function addEventRoute(app: Hono, sender: EventSender): void {
  app.get("/events", (c) => {
    const query = eventQuerySchema.safeParse(c.req.query());
    if (!query.success) return answerInvalid(c, query.error);
    const { undelivered, since, limit, cursor } = query.data;
    const sinceMs = since === undefined ? 0 : Date.parse(since);
    const events = undelivered === "1" ? sender.listUndelivered() : sender.list();
    const wanted = events.filter(({ timestamp }) => Date.parse(timestamp) >= sinceMs);
    // An event that was taken meanwhile is not in the list any more: then the list begins anew, and repeats do no harm.
    const rest = wanted.slice(wanted.findIndex(({ id }) => id === cursor) + 1);
    const items = rest.slice(0, limit);
    return c.json({ items, nextCursor: nextCursorOf(items, rest) });
  });
}

function nextCursorOf(items: readonly EventRecord[], rest: readonly EventRecord[]): string | null {
  return items.length < rest.length ? (items.at(-1)?.id ?? null) : null;
}

function addRefundRoute(app: Hono, book: PaymentBook, actions: PaymentActions): void {
  let trouble: RefundTrouble = { refundsDown: 0, refundsFail: 0 };
  app.post("/trouble", (c) => {
    const wanted = refundTroubleSchema.safeParse(c.req.query());
    if (!wanted.success) return answerInvalid(c, wanted.error);
    trouble = wanted.data;
    return c.json(trouble);
  });
  app.post("/refunds", async (c) => {
    if (trouble.refundsDown > 0) {
      trouble = { ...trouble, refundsDown: trouble.refundsDown - 1 };
      return answerProblem(c, 503, "unavailable", "refunds are down on purpose");
    }
    const rawBody = await c.req.text();
    const key = c.req.header("idempotency-key");
    if (!key) return answerProblem(c, 400, "idempotency_key_required", "send an Idempotency-Key");
    const order = refundOrderSchema.safeParse(parseJson(rawBody));
    if (!order.success) return answerInvalid(c, order.error);
    const payment = book.findPayment(order.data.paymentId);
    if (payment === undefined) return answerUnknownPayment(c);
    const booked = book.createRefund(order.data, payment, key, rawBody);
    if (booked.outcome === "conflict") return answerConflict(c);
    if (booked.outcome === "created") {
      const failsAfterAll = trouble.refundsFail > 0;
      if (failsAfterAll) trouble = { ...trouble, refundsFail: trouble.refundsFail - 1 };
      actions.reportRefund(booked.value, payment, failsAfterAll);
      book.endRefund(booked.value.id, failsAfterAll || booked.value.status === "failed" ? "failed" : "succeeded");
    }
    return c.json(booked.value, booked.outcome === "created" ? 201 : 200);
  });
  app.get("/refunds/:id", (c) => {
    const refund = book.findRefund(c.req.param("id"));
    return refund ? c.json(refund) : answerProblem(c, 404, "refund_unknown", "no such refund, or the sandbox was restarted");
  });
}

function addCheckoutRoutes(app: Hono, book: PaymentBook, actions: PaymentActions, returnUrl: string | undefined): void {
  const show = (c: Context, payment: SandboxPayment | undefined): Response | Promise<Response> => {
    const nonce = randomBytes(16).toString("base64");
    c.header("content-security-policy", `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; base-uri 'none'`);
    c.header("cache-control", "no-store");
    if (payment === undefined) return c.html(renderUnknownPayment(nonce), 404);
    const url = returnUrl?.replaceAll("{orderId}", encodeURIComponent(payment.orderId));
    return c.html(renderCheckoutPage(payment, nonce, url));
  };
  app.get("/checkout/:id", (c) => show(c, book.findPayment(c.req.param("id"))));

  app.post("/checkout/:id", async (c) => {
    const payment = book.findPayment(c.req.param("id"));
    if (payment === undefined) return show(c, payment);
    const { decision } = await c.req.parseBody();
    if (decision !== "pay" && decision !== "decline") return answerProblem(c, 400, "validation_failed", "pay or decline");
    // A refusal (decided already, in another tab) needs no page of its own: the checkout shows what holds.
    actions.act(decision === "pay" ? "succeed" : "fail", payment, NO_TROUBLE);
    return c.redirect(`/checkout/${payment.id}`, 303);
  });
}

/** The parsed text, or undefined, which no schema accepts. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answerProblem(c: Context, status: 400 | 404 | 409 | 500 | 503, code: string, detail: string): Response {
  const problem = { type: `/problems/${code}`, title: code, status, detail, code };
  return c.json(problem, status, { "content-type": "application/problem+json" });
}

function answerInvalid(c: Context, error: z.ZodError): Response {
  return answerProblem(
    c,
    400,
    "validation_failed",
    error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "),
  );
}

function answerConflict(c: Context): Response {
  return answerProblem(c, 409, "idempotency_key_reused", "this key was used with another body");
}

function answerUnknownPayment(c: Context): Response {
  return answerProblem(c, 404, "payment_unknown", "no such payment, or the sandbox was restarted");
}
