/** What becomes of a payment with one of Stripe's test payment methods (docs.stripe.com/testing). */
export interface TestCard {
  /** Stripe's `decline_code`, or null when the card pays. */
  readonly decline: string | null;
  /** A dispute that follows the payment at once. */
  readonly dispute: "needs_response" | "warning_needs_response" | null;
  /** How refunds of the payment go: done at once, done later, or done and then undone. */
  readonly refunds: "succeed" | "pend" | "fail_later";
}

const PAYS: TestCard = { decline: null, dispute: null, refunds: "succeed" };

const TEST_CARDS: Readonly<Record<string, TestCard>> = {
  pm_card_visa: PAYS,
  pm_card_mastercard: PAYS,
  pm_card_chargeDeclined: { ...PAYS, decline: "generic_decline" },
  pm_card_chargeDeclinedInsufficientFunds: { ...PAYS, decline: "insufficient_funds" },
  pm_card_createDispute: { ...PAYS, dispute: "needs_response" },
  pm_card_createDisputeInquiry: { ...PAYS, dispute: "warning_needs_response" },
  pm_card_pendingRefund: { ...PAYS, refunds: "pend" },
  pm_card_refundFail: { ...PAYS, refunds: "fail_later" },
};

/** The card behind a name that `payment_method` of a confirmation may have; undefined for one that is not known here. */
export function findTestCard(name: string): TestCard | undefined {
  return Object.hasOwn(TEST_CARDS, name) ? TEST_CARDS[name] : undefined;
}
