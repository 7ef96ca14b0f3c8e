import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildBundle, type Bundle } from "../build-bundle.ts";
import { COUNTING_SOURCE } from "./counting-source.ts";

/** The path under which the benchmark itself speaks to the Worker; nothing of it exists in the service. */
export const BENCH_PATH = "/__bench/";
/** The service's own entry module, behind the benchmark's. */
export const SERVICE_MODULE = "service.js";
/** Ends the address of a purchase that is measured up to its durable order: what comes after it is left out. */
export const UP_TO_THE_ORDER = "?bench=order";
/** Address of the payment provider that answers inside the Worker. */
export const PAYMENT_ORIGIN = "http://payments.invalid";

/** Answers calls to the payment provider at once, in place of the network. It makes payments and remembers none. */
const PAYMENT_SOURCE = `
const callOverNetwork = globalThis.fetch;
globalThis.fetch = (input, init) => {
  if (typeof input !== "string" || !input.startsWith("${PAYMENT_ORIGIN}/")) return callOverNetwork(input, init);
  if (input.startsWith("${PAYMENT_ORIGIN}/events")) return Promise.resolve(Response.json({ items: [], nextCursor: null }));
  if (input !== "${PAYMENT_ORIGIN}/payments") return Promise.resolve(new Response(null, { status: 404 }));
  const id = "pay_" + init.headers["idempotency-key"];
  return Promise.resolve(Response.json({ id, status: "requires_action", checkoutUrl: "${PAYMENT_ORIGIN}/checkout/" + id }));
};
`;

/**
 * The bindings that a request reaches. A purchase up to its order finds desks at which each order has its payment already, so that
 * none is created at the provider, nor stored.
 */
const BINDINGS_SOURCE = `
const PAYMENT = { provider: "standard", paymentId: "pay_none", status: "requires_action", action: { type: "none" } };
let upToTheOrder;
function bindingsFor(request, env) {
  if (!request.url.endsWith("${UP_TO_THE_ORDER}")) return env;
  const getByName = (name) => {
    const desk = env.ORDER_DESK.getByName(name);
    const place = async (order) => {
      const placed = await desk.place(order);
      return placed.ok ? { ...placed, value: { ...placed.value, payment: PAYMENT } } : placed;
    };
    return { place };
  };
  return (upToTheOrder ??= { ...env, ORDER_DESK: { getByName } });
}
`;

/**
 * In front of the service's own bundle, which stays as it is deployed; takes mints off their queue unseen, because no chain runs
 * here, and lets the benchmark read D1, and put tickets to scan into it.
 */
const TIMED_SOURCE = `
import service from "./${SERVICE_MODULE}";
export * from "./${SERVICE_MODULE}";

async function answerBench(request, env) {
  const { sql, values, ticketTypeId, holds } = await request.json();
  if (holds) {
    await env.TICKET_TYPE_INVENTORY.getByName(ticketTypeId).reserve(holds);
    return new Response(null, { status: 204 });
  }
  const { results } = await env.DB.prepare(sql).bind(...values).run();
  return Response.json(results);
}

export default {
  fetch(request, env, context) {
    if (request.url.includes("${BENCH_PATH}")) return answerBench(request, env);
    return service.fetch(request, bindingsFor(request, env), context);
  },
  queue: () => undefined,
  scheduled: (controller, env, context) => service.scheduled(controller, env, context),
};
`;

const FRONTS = {
  timed: `${TIMED_SOURCE}${PAYMENT_SOURCE}${BINDINGS_SOURCE}`,
  counted: `${COUNTING_SOURCE}${PAYMENT_SOURCE}${BINDINGS_SOURCE}`,
};

/** The bundles to measure, and what the service weighs as deployed. */
export interface BenchBundles {
  /** Nothing between the service and its bindings. */
  readonly timed: Bundle;
  /** The same service, its calls and written rows counted. */
  readonly counted: Bundle;
  readonly sizeBytes: number;
  readonly gzipBytes: number;
}

/**
 * Builds the service as it is deployed, and puts the benchmark's own module in front of copies of it within `directory`.
 * @param isMinified false for a profile: as deployed but for the names, which are kept.
 */
export async function buildBenchBundles(directory: string, isMinified = true): Promise<BenchBundles> {
  const deployed = await buildBundle(isMinified);
  try {
    const contents = await Promise.all(deployed.modules.map(({ name }) => readFile(join(deployed.directory, name))));
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    return {
      timed: await putInFront(deployed, join(directory, "timed-bundle"), FRONTS.timed),
      counted: await putInFront(deployed, join(directory, "counted-bundle"), FRONTS.counted),
      sizeBytes: sum(contents.map((content) => content.byteLength)),
      gzipBytes: sum(contents.map((content) => gzipSync(content, { level: 9 }).byteLength)),
    };
  } finally {
    await rm(deployed.directory, { recursive: true, force: true });
  }
}

async function putInFront(service: Bundle, directory: string, front: string): Promise<Bundle> {
  await mkdir(directory);
  const [entry, ...others] = service.modules;
  if (entry === undefined) throw new Error("the bundle has no entry module");
  const inner = { ...entry, name: SERVICE_MODULE };
  await copyFile(join(service.directory, entry.name), join(directory, inner.name));
  for (const { name } of others) await copyFile(join(service.directory, name), join(directory, name));
  await writeFile(join(directory, entry.name), front);
  return { directory, modules: [entry, inner, ...others] };
}
