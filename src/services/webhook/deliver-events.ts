import { decideDelivery, decideHealth, type AttemptAnswer, type EndpointHealth } from "#domain/webhook-delivery";
import { postSigned } from "#platform/webhook-sender";
import {
  leaseEndpoint,
  releaseEndpoint,
  storeAttempts,
  type DueDelivery,
  type LeasedEndpoint,
  type StoredAttempt,
} from "#storage/webhook-runs";
import type { ServiceContext } from "../context.ts";
import { openSecrets, type OpenSecrets } from "./endpoint-secrets.ts";

/** What sending events may reach. */
export interface DeliveryContext extends Pick<ServiceContext, "d1" | "eventQueue" | "sealingKeys" | "logger"> {
  /** A run is long: its attempts and pauses are timed as they happen. */
  readClockMs(): number;
}

/** After so long a run hands over to a new one, behind the other endpoints that wait. */
const RUN_MS = 20_000;
/** Longer than any run with its last attempts. One that died leaves its endpoint waiting until then. */
const LEASE_MS = 90_000;
/** What happens when the key that sealed the secrets was taken out of the ring too early. */
const UNREADABLE: EndpointHealth = { failingSinceMs: null, restsUntilMs: null, disabledBecause: "secret_unreadable" };
/** What is due later is left to the cron. */
const SOON_MS = 60_000;

/**
 * Sends an endpoint what is due for it, `parallel` at a time, while it takes something and for 20 s at most. One run at a time has
 * an endpoint, so a slow or dead one holds up nobody else.
 *
 * What became of an attempt is stored before the next ones begin. A crash in between sends the same event once more, under the
 * same `webhook-id`.
 */
export async function deliverEvents(ctx: DeliveryContext, endpointId: string, parallel: number): Promise<void> {
  const startedAtMs = ctx.readClockMs();
  const lease = await leaseEndpoint(ctx.d1, endpointId, startedAtMs, startedAtMs + LEASE_MS);
  if (!lease) return;
  const secrets = await openSecrets(await ctx.sealingKeys(), lease, startedAtMs);
  const health = secrets ? await sendWhileTaken(ctx, lease, secrets, parallel) : UNREADABLE;
  const nowMs = ctx.readClockMs();
  const dueAtMs = await releaseEndpoint(ctx.d1, lease, health, nowMs);
  if (health.disabledBecause !== null) {
    const { id, tenantId } = lease;
    const fields = { alert: "webhook_endpoint_disabled", endpointId: id, tenantId, cause: health.disabledBecause };
    ctx.logger.error("an endpoint gets no events any more", fields);
  } else if (dueAtMs !== null && dueAtMs <= nowMs + SOON_MS) {
    const delaySeconds = Math.max(0, Math.ceil((dueAtMs - nowMs) / 1000));
    await ctx.eventQueue.send({ endpointId }, { delaySeconds });
  }
}

async function sendWhileTaken(
  ctx: DeliveryContext,
  lease: LeasedEndpoint,
  { newest, previous }: OpenSecrets,
  parallel: number,
): Promise<EndpointHealth> {
  const secrets = previous ? [newest, previous.secret] : [newest];
  const endMs = ctx.readClockMs() + RUN_MS;
  let health = decideHealth(lease.failingSinceMs, [], endMs);
  let due = await storeAttempts(ctx.d1, { lease, attempts: [], nowMs: ctx.readClockMs(), limit: parallel });
  while (due.length > 0) {
    const answers = await Promise.all(
      due.map(({ eventId, body }) => postSigned({ url: lease.url, eventId, body, secrets, atMs: ctx.readClockMs() })),
    );
    const nowMs = ctx.readClockMs();
    health = decideHealth(health.failingSinceMs, answers, nowMs);
    const attempts = due.map((delivery, at) => toStoredAttempt(delivery, answers[at], nowMs));
    due = await storeAttempts(ctx.d1, { lease, attempts, nowMs, limit: parallel });
    if (health.restsUntilMs !== null || health.disabledBecause !== null || nowMs >= endMs) break;
  }
  return health;
}

const NO_ANSWER: AttemptAnswer = { status: null, error: "unreachable" };

function toStoredAttempt(delivery: DueDelivery, answer: AttemptAnswer = NO_ANSWER, nowMs: number): StoredAttempt {
  const { status: lastStatus, error: lastError } = answer;
  const { id, attempts, failures } = delivery;
  return { id, attempts, ...decideDelivery(failures, answer, nowMs), attemptedAtMs: nowMs, lastStatus, lastError };
}
