/** D1 itself holds an order to the sum of its lines, whoever writes it. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { isD1ConstraintError } from "#storage/d1-errors";
import { makeValidRows, type Row } from "../support/valid-rows.ts";

function insert(table: string, row: Row): D1PreparedStatement {
  const columns = Object.keys(row);
  const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
  return env.DB.prepare(sql).bind(...Object.values(row));
}

/** An order of two lines, 4900 and 2000 with a fee of 500, and the statements that write it. */
async function makeOrder(change: Row = {}, secondLine: Row = {}) {
  const rows = new Map(makeValidRows());
  const row = (table: string): Row => rows.get(table) ?? {};
  for (const table of ["events", "ticket_types"]) await insert(table, row(table)).run();
  const sums = { subtotal_cents: 6_500, discount_cents: 100, fee_cents: 500, total_cents: 6_900, line_count: 2 };
  const second = { line_number: 2, unit_price_cents: 1_500, discount_cents: 0, fee_cents: 500, total_cents: 2_000 };
  const statements = [
    insert("orders", { ...row("orders"), ...sums, ...change }),
    insert("order_items", row("order_items")),
    insert("order_items", { ...row("order_items"), ...second, ...secondLine }),
  ];
  return { id: String(row("orders")["id"]), statements };
}

async function countRows(orderId: string): Promise<unknown> {
  const sql =
    "SELECT (SELECT count(*) FROM orders WHERE id = ?1) + (SELECT count(*) FROM order_items WHERE order_id = ?1) AS n";
  return env.DB.prepare(sql).bind(orderId).first("n");
}

async function refusalOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "not refused",
    (error: unknown) => error,
  );
}

it("an order whose lines add up is taken", async () => {
  const { id, statements } = await makeOrder();
  await env.DB.batch(statements);
  expect(await countRows(id)).toBe(3);
});

it.each<[string, Row, Row]>([
  ["total", { total_cents: 6_950, fee_cents: 550 }, {}],
  ["discount", { discount_cents: 200, subtotal_cents: 6_600 }, {}],
  ["fee", { fee_cents: 600, subtotal_cents: 6_400 }, {}],
  ["number of lines", { line_count: 1 }, {}],
  ["total, by a line that is too dear", {}, { unit_price_cents: 1_600, total_cents: 2_100 }],
])("an order that is not its lines in its %s is refused, and nothing of it stays", async (_, change, secondLine) => {
  const { id, statements } = await makeOrder(change, secondLine);
  const refusal = await refusalOf(env.DB.batch(statements));
  expect(isD1ConstraintError(refusal), String(refusal)).toBe(true);
  expect(await countRows(id)).toBe(0);
});

it.each([
  "UPDATE orders SET total_cents = total_cents + 1, fee_cents = fee_cents + 1 WHERE id = ?1",
  "UPDATE orders SET line_count = NULL WHERE id = ?1",
  "UPDATE order_items SET quantity = 2, total_cents = total_cents + unit_price_cents WHERE order_id = ?1",
  "INSERT INTO order_items SELECT order_id, 3, tenant_id, ticket_type_id, name, 1, 0, 0, 0, 0, 0 FROM order_items WHERE order_id = ?1 AND line_number = 1",
])("an order keeps its sums: %s", async (sql) => {
  const { id, statements } = await makeOrder();
  await env.DB.batch(statements);
  const refusal = await refusalOf(env.DB.prepare(sql).bind(id).run());
  expect(isD1ConstraintError(refusal), String(refusal)).toBe(true);
});
