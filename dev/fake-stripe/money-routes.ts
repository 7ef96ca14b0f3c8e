import { requireSecret, type AddRoute, type ApiRequest } from "./api-route.ts";
import { fieldsOf, textOf, textsOf, type FormFields } from "./form-body.ts";
import { invalidParam } from "./stripe-error.ts";
import type { StripeLedger } from "./stripe-ledger.ts";

const MAX_AMOUNT = 99_999_999;
const CANCELLATION_REASONS = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
const REFUND_REASONS = ["duplicate", "fraudulent", "requested_by_customer"];
const MAX_METADATA_KEYS = 50;

/** PaymentIntents, refunds and disputes. */
export function addMoneyRoutes(add: AddRoute, ledger: StripeLedger): void {
  add("POST", "/v1/payment_intents", ({ isSecret, fields }) => {
    requireSecret(isSecret);
    return ledger.createIntent({
      amount: requireAmount(fields),
      currency: requireCurrency(fields),
      description: textOf(fields, "description") ?? null,
      metadata: readMetadata(fields),
    });
  });
  add("GET", "/v1/payment_intents/:id", (request) => {
    requireClientSecret(request, ledger);
    return ledger.findIntent(request.id);
  });
  add("POST", "/v1/payment_intents/:id/confirm", (request) => {
    requireClientSecret(request, ledger);
    const paymentMethod = textOf(request.fields, "payment_method");
    if (paymentMethod === undefined) throw invalidParam("payment_method", "Name a payment method.", "parameter_missing");
    return ledger.confirm(request.id, paymentMethod);
  });
  add("POST", "/v1/payment_intents/:id/cancel", ({ isSecret, fields, id }) => {
    requireSecret(isSecret);
    return ledger.cancelIntent(id, readChoice(fields, "cancellation_reason", CANCELLATION_REASONS));
  });
  add("POST", "/v1/refunds", ({ isSecret, fields }) => {
    requireSecret(isSecret);
    const paymentIntent = textOf(fields, "payment_intent");
    if (paymentIntent === undefined) throw invalidParam("payment_intent", "Name a PaymentIntent.", "parameter_missing");
    return ledger.createRefund({
      paymentIntent,
      amount: textOf(fields, "amount") === undefined ? undefined : requireAmount(fields),
      metadata: readMetadata(fields),
      reason: readChoice(fields, "reason", REFUND_REASONS),
    });
  });
  addDisputeRoutes(add, ledger);
}

/** Stripe's test mode decides by the evidence: `winning_evidence` wins, `losing_evidence` loses, and so does closing. */
function addDisputeRoutes(add: AddRoute, ledger: StripeLedger): void {
  add("POST", "/v1/disputes/:id", ({ isSecret, fields, id }) => {
    requireSecret(isSecret);
    const text = textOf(fieldsOf(fields, "evidence"), "uncategorized_text");
    if (text !== "winning_evidence" && text !== "losing_evidence") return ledger.findDispute(id);
    return ledger.closeDispute(id, text === "winning_evidence");
  });
  add("POST", "/v1/disputes/:id/close", ({ isSecret, id }) => {
    requireSecret(isSecret);
    return ledger.closeDispute(id, false);
  });
}

/** A publishable key acts on a PaymentIntent whose client secret it shows: that is how a buyer's browser pays. */
function requireClientSecret({ isSecret, fields, id }: ApiRequest, ledger: StripeLedger): void {
  if (isSecret || textOf(fields, "client_secret") === ledger.findIntent(id).client_secret) return;
  throw invalidParam("client_secret", "The client_secret provided does not match the PaymentIntent.");
}

function requireAmount(fields: FormFields): number {
  const text = textOf(fields, "amount");
  if (text === undefined) throw invalidParam("amount", "Missing required param: amount.", "parameter_missing");
  if (!/^\d{1,15}$/.test(text)) throw invalidParam("amount", `Invalid integer: ${text}`, "parameter_invalid_integer");
  const amount = Number(text);
  if (amount < 1) throw invalidParam("amount", "This value must be greater than or equal to 1.", "parameter_invalid_integer");
  if (amount > MAX_AMOUNT) throw invalidParam("amount", "Amount must be no more than 999,999.99.", "amount_too_large");
  return amount;
}

function requireCurrency(fields: FormFields): string {
  const text = textOf(fields, "currency")?.toLowerCase();
  if (text === undefined) throw invalidParam("currency", "Missing required param: currency.", "parameter_missing");
  if (!/^[a-z]{3}$/.test(text)) throw invalidParam("currency", `Invalid currency: ${text}`);
  return text;
}

function readMetadata(fields: FormFields): Record<string, string> {
  const metadata = textsOf(fields, "metadata");
  const isTooMuch = Object.entries(metadata).some(([key, value]) => key.length > 40 || value.length > 500);
  if (isTooMuch || Object.keys(metadata).length > MAX_METADATA_KEYS) {
    throw invalidParam("metadata", "Metadata has at most 50 keys of 40 characters with values of 500.");
  }
  return metadata;
}

function readChoice(fields: FormFields, name: string, choices: readonly string[]): string | null {
  const text = textOf(fields, name);
  if (text === undefined) return null;
  if (!choices.includes(text)) throw invalidParam(name, `Invalid ${name}: must be one of ${choices.join(", ")}`);
  return text;
}
