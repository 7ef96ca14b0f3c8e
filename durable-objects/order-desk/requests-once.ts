import type { Failure } from "#domain/failure";
import type { MadeOnce, RequestIdentity } from "#domain/order-messages";
import type { Result } from "#domain/result";
import type { KnownRequests } from "./known-requests.ts";

interface UnderWay {
  readonly bodyHash: string;
  readonly answer: Promise<MadeOnce<unknown>>;
}

/** What the desk remembers of a request that was answered before. */
export type Remembered<T> = { readonly bodyHash: string; readonly answer: Result<T, Failure> } | undefined;

/**
 * The Idempotency-Key semantics of the contract: one effect for one key. A repeat gets the first answer, a repeat that
 * arrives while the first is under way waits for it, and a key that comes back with another body is refused.
 */
export class RequestsOnce {
  readonly #underWay = new Map<string, UnderWay>();
  readonly #known: KnownRequests;

  constructor(known: KnownRequests) {
    this.#known = known;
  }

  /**
   * Answers from storage (`find`) or makes the thing (`make`).
   * @throws what `make` throws, to every waiter: nothing is remembered then, and the caller may try again.
   */
  run<T>(request: RequestIdentity, find: () => Remembered<T>, make: () => Promise<MadeOnce<T>>): Promise<MadeOnce<T>> {
    return this.#known.ask(request.requestId, (isKnown) => {
      const recalled = this.recall(request, isKnown ? find : findNothing);
      if (recalled) return recalled;
      const answer = make().finally(() => this.#underWay.delete(request.requestId));
      this.#underWay.set(request.requestId, { bodyHash: request.bodyHash, answer });
      return answer;
    });
  }

  /** The answer to a request that came before, now or soon; undefined for a request that is new. */
  recall<T>(request: RequestIdentity, find: () => Remembered<T>): Promise<MadeOnce<T>> | undefined {
    // Under way first: what a request has stored half-way is not its answer yet.
    const earlier = this.#underWay.get(request.requestId) ?? find();
    if (!earlier) return undefined;
    if (earlier.bodyHash !== request.bodyHash) return Promise.resolve(REUSED);
    return Promise.resolve(earlier.answer).then((answer) => asReplay(answer as Result<T, Failure>)); // the id holds the route: one kind
  }
}

const findNothing = (): undefined => undefined;

const REUSED = { ok: false, failure: { code: "idempotency_key_reused" }, replayed: false, stock: [] } as const;

function asReplay<T>(answer: Result<T, Failure>): MadeOnce<T> {
  return { ...answer, replayed: true, stock: [] };
}
