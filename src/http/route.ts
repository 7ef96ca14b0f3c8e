import type { z } from "@hono/zod-openapi";
import type { Failure, FieldError } from "#domain/failure";
import { deriveId, deskNumberFor, hashParts } from "#domain/ids";
import type { RequestIdentity } from "#domain/order-messages";
import { hasRole, type Principal, type Role } from "#domain/principal";
import { refuse, succeed, type Result } from "#domain/result";
import type { ServiceContext, SignedInContext } from "#services/context";
import type { RateTier } from "./middleware/rate-limit.ts";
import { parseJson, readJson, readOptionalJson } from "./middleware/read-body.ts";

/**
 * Who may call a route: `P` anyone, `S` who signs the body (the use case verifies it), `A` any signed-in user, `D` door staff
 * or above, `M` venue managers or above, `O` admins.
 */
export type Who = "P" | "S" | "A" | "D" | "M" | "O";

/** A body of a thousand unknown fields gets an answer of readable length. */
const MOST_FIELD_ERRORS = 100;

/** The least role of each kind of caller that signs in. */
const LEAST_ROLE: Readonly<Record<Exclude<Who, "P" | "S">, Role>> = {
  A: "user",
  D: "door_staff",
  M: "venue_manager",
  O: "admin",
};

type ContextOf<W extends Who> = W extends "P" | "S" ? ServiceContext : SignedInContext;

/** One answer as the documentation has it. `schema` left out: no body, or not JSON. */
export interface AnswerSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly contentType?: string;
}

/** A parsed request and what its handler may reach. */
export interface Exchange<W extends Who, Body, Params, Query> {
  readonly ctx: ContextOf<W>;
  readonly body: Body;
  readonly params: Params;
  readonly query: Query;
  /** For raw bytes, signatures and `Accept`; bearer tokens were judged already. */
  readonly request: Request;
  /** Who sends this request and how it is recognised when it comes again; only for routes that need an Idempotency-Key. */
  readonly identify: () => RequestIdentity;
}

/** A route, declared once: the router, the documentation and the access tests are all made from it. */
export interface RouteSpec<W extends Who, Body, Params, Query> {
  readonly method: "get" | "post" | "put" | "delete";
  /** OpenAPI form, parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly who: W;
  readonly tier: RateTier;
  readonly needsIdempotencyKey?: boolean;
  readonly body?: z.ZodType<Body>;
  /** True when `body` may be left out; an empty object is parsed then. */
  readonly isBodyOptional?: boolean;
  /** A body that the handler parses itself, from the bytes whose signature it has verified; named here to be documented. */
  readonly signedBody?: z.ZodType;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  handle(exchange: Exchange<W, Body, Params, Query>): Promise<Response | Failure> | Response | Failure;
}

/** What the dispatcher knows of a request before the route judges it. */
export interface Incoming {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly ctx: ServiceContext;
  readonly principal: Principal | undefined;
}

/** A declared route with its types folded away. */
export interface Route extends Omit<RouteSpec<Who, unknown, unknown, unknown>, "handle"> {
  readonly needsIdempotencyKey: boolean;
  /** Parses and answers; refusals come back as data. */
  answer(incoming: Incoming): Promise<Response | Failure>;
}

/** Declares a route. */
export function defineRoute<W extends Who, Body = undefined, Params = undefined, Query = undefined>(
  spec: RouteSpec<W, Body, Params, Query>,
): Route {
  const name = `${spec.method.toUpperCase()} ${spec.path}`;
  const { needsIdempotencyKey = false } = spec;
  return {
    ...spec,
    needsIdempotencyKey,
    async answer({ request, params, ctx, principal }) {
      const key = request.headers.get("idempotency-key") ?? "";
      if (needsIdempotencyKey && !/^[\x20-\x7e]{1,255}$/.test(key)) return { code: "idempotency_key_required" };
      const input = await parseInput(spec, request, params);
      if (!input.ok) return input.failure;
      const { body } = input.value;
      const identify = (): RequestIdentity => {
        if (!principal) throw new Error("broken invariant: a route with an Idempotency-Key knows its caller");
        return identifyRequest(principal, ctx.desksPerTenant, name, key, { body, params });
      };
      // The dispatcher lets a caller through only with the principal that `who` asks for.
      const context = (principal ? { ...ctx, principal } : ctx) as ContextOf<W>;
      return spec.handle({ ctx: context, ...input.value, request, identify });
    },
  };
}

/** True when the principal may call the route; what is then visible is the use case's matter. */
export function mayCall(who: Who, principal: Principal): boolean {
  return who === "P" || who === "S" || hasRole(principal, LEAST_ROLE[who]);
}

/** True for a refusal that a handler gave in place of a response. */
export function isFailure(answer: Response | Failure): answer is Failure {
  return "code" in answer;
}

async function parseInput<W extends Who, Body, Params, Query>(
  spec: RouteSpec<W, Body, Params, Query>,
  request: Request,
  params: Readonly<Record<string, string>>,
): Promise<Result<{ body: Body; params: Params; query: Query }, Failure>> {
  const parsedParams = parsePart(spec.params, params);
  if (!parsedParams.ok) return parsedParams;
  const parsedQuery = parsePart(spec.query, spec.query && Object.fromEntries(new URL(request.url).searchParams));
  if (!parsedQuery.ok) return parsedQuery;
  const read = spec.isBodyOptional ? readOptionalJson : readJson;
  const json = spec.body ? await read(request) : succeed(undefined);
  if (!json.ok) return json;
  const parsedBody = parsePart(spec.body, json.value);
  if (!parsedBody.ok) return parsedBody;
  return succeed({ body: parsedBody.value, params: parsedParams.value, query: parsedQuery.value });
}

/** Reads signed bytes through a schema; the use case verifies the signature over the same bytes. */
export function parseJsonBytes<T>(schema: z.ZodType<T>, bytes: Uint8Array): Result<T, Failure> {
  const json = parseJson(bytes);
  return json.ok ? parsePart(schema, json.value) : json;
}

function parsePart<T>(schema: z.ZodType<T> | undefined, value: unknown): Result<T, Failure> {
  // Without a schema the part's type is `undefined`, and so is its value.
  if (!schema) return succeed(undefined as T);
  const parsed = schema.safeParse(value);
  if (parsed.success) return succeed(parsed.data);
  return refuse({ code: "validation_failed", errors: parsed.error.issues.flatMap(toFieldErrors).slice(0, MOST_FIELD_ERRORS) });
}

function toFieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, code: "unknown_field", message: "no such field" }));
  }
  return [{ path, code: issue.code, message: issue.message }];
}

function identifyRequest(
  principal: Principal,
  desksPerTenant: number,
  route: string,
  key: string,
  content: unknown,
): RequestIdentity {
  const { tenantId, userId } = principal;
  const desk = deskNumberFor(tenantId, userId, desksPerTenant);
  return {
    tenantId,
    userId,
    route,
    requestId: deriveId(desk, ["request", tenantId, userId, route, key]),
    bodyHash: hashParts([canonicalJson(content)]),
  };
}

/** JSON with sorted keys, so that the same body in another order of fields is the same request. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

function sortKeys(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(sortKeys);
  if (typeof part !== "object" || part === null) return part;
  const fields = Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([key, field]) => [key, sortKeys(field)]));
}
