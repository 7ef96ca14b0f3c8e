import type { Failure } from "#domain/failure";
import type { HoldView, OrderView } from "#domain/order-messages";
import type { Result } from "#domain/result";

/** A hold with what recognises the request that made it, and the order that uses it. */
export interface HoldRecord {
  readonly view: HoldView;
  readonly bodyHash: string;
  readonly orderId: string | null;
}

/** The answer to a request that made nothing under its own id. */
export interface AnswerRecord {
  readonly bodyHash: string;
  readonly answer: Result<OrderView, Failure>;
}
