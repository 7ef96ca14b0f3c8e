import { BENCH_COUNTS_PATH } from "./operation-counts.ts";

/**
 * A module in front of the service's bundle that counts what an operation costs: calls to Durable Objects and round trips to
 * D1 by wrapping the bindings, rows written from what D1 and the SQL cursors themselves say. It costs time, so nothing is timed
 * through it.
 */
export const COUNTING_SOURCE = `
import service from "./service.js";
import * as classes from "./service.js";
export * from "./service.js";

let counts;
let cursors;
function reset() {
  counts = { objectCalls: {}, objectCommits: {}, objectRows: {}, alarmsSet: 0, d1RoundTrips: 0, d1Rows: 0 };
  cursors = [];
}
reset();

const add = (counter, name, count) => { counter[name] = (counter[name] ?? 0) + count; };

function takeCounts() {
  for (const { name, cursor } of cursors) add(counts.objectRows, name, cursor.rowsWritten);
  const taken = counts;
  reset();
  return taken;
}

function countingNamespace(namespace, name) {
  return {
    getByName(id, options) {
      const stub = namespace.getByName(id, options);
      return new Proxy(stub, {
        get: (target, method) => (...args) => {
          add(counts.objectCalls, name, 1);
          return target[method](...args);
        },
      });
    },
  };
}

function countingDatabase(database) {
  const originals = new WeakMap();
  const note = (result) => {
    counts.d1Rows += result?.meta?.rows_written ?? 0;
    return result;
  };
  const wrap = (statement) => {
    const wrapped = new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values) => wrap(target.bind(...values));
        if (name === "run" || name === "all" || name === "first" || name === "raw") {
          return async (...args) => {
            counts.d1RoundTrips += 1;
            return note(await target[name](...args));
          };
        }
        return target[name];
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  };
  return {
    prepare: (sql) => wrap(database.prepare(sql)),
    async batch(statements) {
      counts.d1RoundTrips += 1;
      const results = await database.batch(statements.map((statement) => originals.get(statement) ?? statement));
      results.forEach(note);
      return results;
    },
  };
}

const OBJECTS = {
  TICKET_TYPE_INVENTORY: "inventory",
  INVENTORY_PROJECTOR: "projector",
  ORDER_DESK: "desk",
  EVENT_GATE: "gate",
};
const known = new WeakMap();
function withCounting(env) {
  if (!known.has(env)) {
    const namespaces = Object.entries(OBJECTS).map(([binding, name]) => [binding, countingNamespace(env[binding], name)]);
    known.set(env, { ...env, ...Object.fromEntries(namespaces), DB: countingDatabase(env.DB) });
  }
  return known.get(env);
}

function observe(storage, name) {
  const { sql } = storage;
  const patch = (target, method, before) => {
    const original = target[method].bind(target);
    Object.defineProperty(target, method, { value: (...args) => before(original(...args)) });
  };
  patch(sql, "exec", (cursor) => {
    cursors.push({ name, cursor });
    return cursor;
  });
  patch(storage, "transactionSync", (result) => {
    add(counts.objectCommits, name, 1);
    return result;
  });
  patch(storage, "setAlarm", (result) => {
    counts.alarmsSet += 1;
    return result;
  });
}

const observed = (className, name) => class extends classes[className] {
  constructor(ctx, env) {
    observe(ctx.storage, name);
    super(ctx, withCounting(env));
  }
};
export const TicketTypeInventory = observed("TicketTypeInventory", "inventory");
export const InventoryProjector = observed("InventoryProjector", "projector");
export const OrderDesk = observed("OrderDesk", "desk");
export const EventGate = observed("EventGate", "gate");

async function answerBench(request, env) {
  if (request.url.endsWith("${BENCH_COUNTS_PATH}")) return Response.json(takeCounts());
  const { sql, values } = await request.json();
  const { results } = await env.DB.prepare(sql).bind(...values).run();
  return Response.json(results);
}

export default {
  fetch(request, env, context) {
    if (request.url.includes("/__bench/")) return answerBench(request, env);
    return service.fetch(request, bindingsFor(request, withCounting(env)), context);
  },
  queue: () => undefined,
  scheduled: (controller, env, context) => service.scheduled(controller, env, context),
};
`;
