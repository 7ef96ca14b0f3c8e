import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { ENDPOINTS_PER_TENANT, findUrlProblem, type EventType } from "#domain/webhook-endpoint";
import { generateEndpointSecret } from "#platform/webhook-sender";
import { insertEndpointRow } from "#storage/webhook-endpoints";
import type { SignedInContext } from "../context.ts";
import { sealSecrets } from "./endpoint-secrets.ts";
import type { EndpointWithSecret } from "./endpoint-view.ts";

/** An endpoint to be made. */
export interface CreateEndpointInput {
  readonly url: string;
  readonly description: string | null;
  /** Empty: all. */
  readonly eventTypes: readonly EventType[];
}

/**
 * Makes an endpoint that is told of the tenant's events from now on. Its secret is in the answer and never shown again.
 * Refuses `validation_failed` for a URL that events may not be sent to, and when the tenant has as many endpoints as it may.
 */
export async function createEndpoint(
  ctx: SignedInContext,
  input: CreateEndpointInput,
): Promise<Result<EndpointWithSecret, Failure>> {
  const problem = findUrlProblem(input.url, ctx.publicBaseUrl);
  if (problem) return refuse({ code: "validation_failed", errors: [{ path: "url", ...problem }] });
  const id = ctx.newId();
  const secret = generateEndpointSecret();
  const sealed = await sealSecrets(await ctx.sealingKeys(), id, { newest: secret, previous: undefined });
  const { sealedSecret, sealedWith } = sealed;
  const row = { id, tenantId: ctx.principal.tenantId, ...input, sealedSecret, sealedWith, createdAtMs: ctx.nowMs };
  if (!(await insertEndpointRow(ctx.d1, row, ENDPOINTS_PER_TENANT))) return refuse(tooManyEndpoints());
  return succeed({
    id,
    ...input,
    status: "ACTIVE",
    failingSinceMs: null,
    disabledAtMs: null,
    createdAtMs: ctx.nowMs,
    secret,
  });
}

function tooManyEndpoints(): Failure {
  const message = `a tenant has at most ${ENDPOINTS_PER_TENANT} endpoints, disabled ones included`;
  return { code: "validation_failed", errors: [{ path: "url", code: "too_many_endpoints", message }] };
}
