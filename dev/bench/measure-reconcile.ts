import type { Bundle } from "../build-bundle.ts";
import { generateDevelopmentSecrets } from "../dev-vars.ts";
import { createHttpClient } from "../http-client.ts";
import { startRuntime } from "../runtime.ts";
import { signDevelopmentToken } from "../sign-development-token.ts";
import { waitFor } from "../wait-for.ts";
import { PAYMENT_ORIGIN } from "./bench-bundle.ts";
import { createBenchWorld } from "./bench-world.ts";
import { callBench, makeHolds } from "./make-holds.ts";

const RESERVATIONS = 100_000;

interface Pass {
  readonly seconds: number;
  readonly requests: number;
  readonly checkedCount: number;
  readonly repairedCount: number;
}

interface MetricsAnswer {
  readonly projection: { readonly undeliveredCount: number };
}

interface TypeAnswer {
  missingCount: number;
  staleCount: number;
  extraCount: number;
  unrepaired: string | null;
}

interface ReconcileAnswer {
  readonly checkedReservationCount: number;
  readonly items: readonly Readonly<TypeAnswer>[];
  readonly nextCursor: string | null;
}

type AdminCall = (method: string, path: string, body?: unknown) => Promise<Readonly<Record<string, unknown>>>;

async function isAllTold(call: AdminCall): Promise<boolean> {
  const answer = await call("GET", "/admin/reservations/metrics?limit=100");
  return (answer as unknown as MetricsAnswer).projection.undeliveredCount === 0; // the route's declared answer
}

/** Reconciles the whole tenant, answer after answer. @throws when a type was left out: the figure would say nothing. */
async function reconcileAll(call: AdminCall): Promise<Pass> {
  const startedAtMs = performance.now();
  let [requests, checkedCount, repairedCount] = [0, 0, 0];
  let cursor: string | null | undefined;
  do {
    const body = await call("POST", "/admin/reservations/reconcile", cursor ? { cursor } : {});
    const answer = body as unknown as ReconcileAnswer; // the route's declared answer
    requests += 1;
    checkedCount += answer.checkedReservationCount;
    for (const { missingCount, staleCount, extraCount, unrepaired } of answer.items) {
      if (unrepaired !== null) throw new Error(`a ticket type was not compared: ${unrepaired}`);
      repairedCount += missingCount + staleCount + extraCount;
    }
    cursor = answer.nextCursor;
  } while (cursor !== null);
  return { seconds: (performance.now() - startedAtMs) / 1000, requests, checkedCount, repairedCount };
}

function tell(title: string, pass: Pass): void {
  const { seconds, requests, checkedCount, repairedCount } = pass;
  const work = `${checkedCount} compared, ${repairedCount} repaired`;
  console.log(`${title.padEnd(28)}${seconds.toFixed(1).padStart(7)} s  ${work}, ${requests} request(s)`);
}

/** Prints how long it takes to compare 100,000 reservations with D1, and to write them all anew. */
export async function measureReconcile(bundle: Bundle, persistPath: string): Promise<void> {
  const secrets = await generateDevelopmentSecrets();
  const bindings = { ...secrets.variables, SANDBOX_PAYMENT_URL: PAYMENT_ORIGIN };
  const service = await startRuntime({ persistPath, bundle, bindings, onLogLine: () => undefined });
  try {
    const world = await createBenchWorld(service.url, secrets);
    const token = await signDevelopmentToken(secrets, { role: "admin", tenantId: world.tenantId });
    const http = createHttpClient(service.url);
    const call: AdminCall = async (method, path, body) => {
      const answer = await http(method, path, body === undefined ? { token } : { token, body });
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    console.log(`making ${RESERVATIONS} reservations`);
    await makeHolds(world, RESERVATIONS);
    await waitFor("D1 to hear of them all", async () => (await isAllTold(call)) || undefined);
    tell("nothing wrong", await reconcileAll(call));
    await callBench(world, { sql: "DELETE FROM reservations WHERE ticket_type_id = ?", values: [world.heldTypeId] });
    tell("every row of D1 lost", await reconcileAll(call));
    await callBench(world, {
      sql: "UPDATE reservations SET status = 'EXPIRED' WHERE ticket_type_id = ?",
      values: [world.heldTypeId],
    });
    tell("every row of D1 wrong", await reconcileAll(call));
    tell("and once more", await reconcileAll(call));
  } finally {
    await service.close();
  }
}
