import { describe, expect, it } from "vitest";
import { isToBeChecked, isToBeEnded, nextCheckAtMs } from "#domain/payment-check";
import { ORDER_STATUSES, PAYMENT_STATUSES, type PaymentStatus } from "#domain/statuses";

const MINUTE_MS = 60_000;

function paymentIn(status: PaymentStatus) {
  return { provider: "standard", paymentId: "p", status, action: { type: "none" } } as const;
}

describe("a payment is asked for", () => {
  it("when its order ended without it while money may still come, and never otherwise", () => {
    const asked = ORDER_STATUSES.flatMap((status) =>
      PAYMENT_STATUSES.filter((paymentStatus) => isToBeChecked({ status, payment: paymentIn(paymentStatus) })).map(
        (paymentStatus) => `${status} ${paymentStatus}`,
      ),
    );
    expect(asked).toEqual(["EXPIRED REQUIRES_ACTION", "EXPIRED FAILED", "CANCELLED REQUIRES_ACTION", "CANCELLED FAILED"]);
    expect(isToBeChecked({ status: "EXPIRED", payment: null })).toBe(false);
  });

  it("with growing pauses, and after some days not any more", () => {
    const pauses = Array.from({ length: 20 }, (_, at) => nextCheckAtMs(at + 1, 0));
    expect(pauses.slice(0, 6).map((ms) => ms && ms / MINUTE_MS)).toEqual([2, 8, 32, 128, 360, 360]);
    expect(pauses.at(-1)).toBeNull();
    const total = pauses.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
    expect(total / 86_400_000).toBeGreaterThan(3);
    expect(total / 86_400_000).toBeLessThan(5);
  });
});

describe("an open payment is ended", () => {
  it("half an hour after its hold and not a millisecond before, or at once when its order was cancelled", () => {
    const expired = { orderStatus: "EXPIRED", holdExpiresAtMs: 1_000 } as const;
    expect(isToBeEnded(expired, 1_000 + 30 * MINUTE_MS - 1)).toBe(false);
    expect(isToBeEnded(expired, 1_000 + 30 * MINUTE_MS)).toBe(true);
    expect(isToBeEnded({ ...expired, orderStatus: "CANCELLED" }, 0)).toBe(true);
  });
});
