import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { readProblem, send } from "../support/call-service.ts";
import { signToken } from "../support/sign-token.ts";
import { makeValidRows } from "../support/valid-rows.ts";

interface Operator {
  readonly ticketId: string;
  readonly post: (body: unknown, key: string) => Promise<Response>;
}

/** An admin of a tenant that has one ticket with a mint job. */
async function makeOperator(): Promise<Operator> {
  const rows = makeValidRows();
  const needed = new Set(["events", "ticket_types", "orders", "tickets", "mint_jobs"]);
  for (const [table, row] of rows.filter(([name]) => needed.has(name))) {
    const columns = Object.keys(row);
    const values = columns.map(() => "?").join(", ");
    await env.DB.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values})`)
      .bind(...Object.values(row))
      .run();
  }
  const job = rows.find(([table]) => table === "mint_jobs")?.[1];
  const token = await signToken({ role: "admin", tenantId: String(job?.["tenant_id"]) });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return {
    ticketId: String(job?.["ticket_id"]),
    post: (body, key) =>
      send("/mint", { method: "POST", headers: { ...headers, "idempotency-key": key }, body: JSON.stringify(body) }),
  };
}

it("tells an operator who repeats a request that it is known, with the jobs", async () => {
  const { ticketId, post } = await makeOperator();
  const first = await post({ ticketIds: [ticketId] }, "again");
  expect([first.status, first.headers.get("idempotency-replayed")]).toEqual([202, null]);
  expect(await first.json()).toMatchObject({ items: [{ ticketId }] });
  const second = await post({ ticketIds: [ticketId] }, "again");
  expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([202, "true"]);
});

it("refuses a key that was used for other tickets, and queues none of them", async () => {
  const { ticketId, post } = await makeOperator();
  expect((await post({ ticketIds: [crypto.randomUUID()] }, "key")).status).toBe(404);
  expect(await readProblem(await post({ ticketIds: [ticketId] }, "key"))).toMatchObject({
    status: 422,
    code: "idempotency_key_reused",
  });
});

it.each(["neither", "both"])("is clear about what it takes when tickets and order are named: %s", async (how) => {
  const { ticketId, post } = await makeOperator();
  const problem = await readProblem(await post(how === "both" ? { ticketIds: [ticketId], orderId: ticketId } : {}, "key"));
  expect(problem).toMatchObject({
    code: "validation_failed",
    errors: [{ path: "orderId", message: "either ticketIds or orderId" }],
  });
});

it("keeps the keys of two operators apart", async () => {
  const [one, other] = [await makeOperator(), await makeOperator()];
  expect((await one.post({ ticketIds: [one.ticketId] }, "shared")).status).toBe(202);
  const answer = await other.post({ ticketIds: [other.ticketId] }, "shared");
  expect([answer.status, answer.headers.get("idempotency-replayed")]).toEqual([202, null]);
});

it("forgets a key after a day", async () => {
  const { ticketId, post } = await makeOperator();
  await post({ ticketIds: [crypto.randomUUID()] }, "old");
  await env.DB.exec("UPDATE idempotency_keys SET created_at_ms = created_at_ms - 86400001");
  const answer = await post({ ticketIds: [ticketId] }, "old");
  expect([answer.status, answer.headers.get("idempotency-replayed")]).toEqual([202, null]);
});
