/** Calls the service over HTTP as a stranger would: from an address of its own, so that no test uses up another's rate limit. */
import { env, exports } from "cloudflare:workers";
import { createApp, type AppParts, type Composition } from "#http/app";
import type { Route } from "#http/route";
import { ROUTES } from "#http/routes";
import { compose } from "#src/compose";
import type { Env } from "#src/config";

/** A problem as it came over the wire. */
export interface WireProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly errors: readonly { readonly path: string; readonly code: string; readonly message: string }[];
}

/** A request to the service at `path`. */
export function requestOf(path: string, init: RequestInit = {}): Request {
  const headers = new Headers(init.headers);
  if (!headers.has("cf-connecting-ip")) headers.set("cf-connecting-ip", crypto.randomUUID());
  return new Request(`https://tickets.test${path}`, { ...init, headers });
}

/** Sends a request to the whole service. */
export function send(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(requestOf(path, init));
}

/** The body of an answer that must be a problem. @throws when it is none, or when header and body disagree. */
export async function readProblem(response: Response): Promise<WireProblem> {
  if (response.headers.get("content-type") !== "application/problem+json")
    throw new Error(`no problem: ${await response.text()}`);
  const problem: WireProblem = await response.json();
  if (problem.status !== response.status) throw new Error(`status ${response.status}, but the problem says ${problem.status}`);
  if (problem.type !== `/problems/${problem.code}`) throw new Error(`code ${problem.code}, but type ${problem.type}`);
  if (problem.instance !== response.headers.get("x-request-id")) throw new Error("the problem names another request");
  return problem;
}

/** A log line that a test caught. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The application on its own, with what a test wants different in it. */
export function makeApp(change: {
  readonly routes?: readonly Route[];
  readonly env?: Partial<Env>;
  readonly compose?: AppParts["compose"];
}): { fetch(path: string, init?: RequestInit): Promise<Response>; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const logger = makeLogger(lines);
  const changed: Env = { ...env, ...change.env };
  const app = createApp({
    routes: change.routes ?? ROUTES,
    compose: change.compose ?? ((given) => withLogger(compose(given), logger)),
    logger,
    readClockMs: () => Date.now(),
  });
  return { fetch: async (path, init) => app.fetch(requestOf(path, init), changed), lines };
}

function withLogger(composed: ReturnType<typeof compose>, logger: Composition["logger"]): ReturnType<typeof compose> {
  return composed.ok ? { ok: true, value: { ...composed.value, logger } } : composed;
}

/** A logger that keeps its lines. */
export function makeLogger(lines: LogLine[], always: LogLine["fields"] = {}): Composition["logger"] {
  const write =
    (level: string) =>
    (message: string, fields: LogLine["fields"] = {}): void => {
      lines.push({ level, message, fields: { ...always, ...fields } });
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (fields) => makeLogger(lines, { ...always, ...fields }),
  };
}
