import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { Logger } from "#platform/logger";
import { describeCause } from "../describe-cause.ts";

const RETRY_AFTER_SECONDS = 10;

/** Asks the chain; a node that does not answer is a refusal that the caller can act upon, not a bug of ours. */
export async function reachChain<Answer>(logger: Logger, ask: () => Promise<Answer>): Promise<Result<Answer, Failure>> {
  try {
    return succeed(await ask());
  } catch (error) {
    logger.warn("the chain's node did not answer", { error: describeCause(error) });
    return refuse({ code: "chain_unavailable", retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}
