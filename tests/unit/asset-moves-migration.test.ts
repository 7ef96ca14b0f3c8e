import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { makeValidRows } from "../support/valid-rows.ts";

const FOLDER = join(import.meta.dirname, "../../migrations/d1");
const FREES_MOVES = "_wallet_claims.sql";

it("writing the moves of assets anew keeps every row, and frees them of the transfers", () => {
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith(".sql"))
    .toSorted();
  const at = files.findIndex((name) => name.endsWith(FREES_MOVES));
  expect(at).toBeGreaterThan(0);
  const db = new DatabaseSync(":memory:");
  db.exec("PRAGMA foreign_keys = ON");
  const apply = (name: string): void => db.exec(readFileSync(join(FOLDER, name), "utf8"));
  for (const name of files.slice(0, at)) apply(name);
  const insert = (table: string, row: Readonly<Record<string, string | number | null>>): void => {
    const columns = Object.keys(row);
    db.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`).run(
      ...Object.values(row),
    );
  };
  const rows = makeValidRows();
  const move = rows.find(([table]) => table === "asset_moves")?.[1] ?? {};
  for (const [table, row] of rows.slice(
    0,
    rows.findIndex(([name]) => name === "asset_moves"),
  ))
    insert(table, row);
  const full = { from_address: "a", to_address: "b", signature: "s", wire_base64: "w", attempts: 3, tree_seq: 9 };
  insert("asset_moves", { ...move, ...full, last_error: "e", last_valid_block_height: 7, updated_at_ms: 5 });
  const read = (): unknown => db.prepare("SELECT * FROM asset_moves").all();
  const before = read();
  expect(() => insert("asset_moves", { ...move, transfer_id: "a claim" })).toThrow("FOREIGN KEY");
  apply(files[at] ?? "");
  expect(read()).toEqual(before);
  insert("asset_moves", { ...move, transfer_id: "a claim" });
  expect(() => insert("asset_moves", { ...move, transfer_id: "another", ticket_id: "nobody's" })).toThrow("FOREIGN KEY");
  expect(() => insert("asset_moves", { ...move, transfer_id: "another", status: "NONSENSE" })).toThrow("asset_moves_status");
  const kept = db.prepare("SELECT sql FROM sqlite_master WHERE name = 'asset_moves'").get();
  expect(kept?.["sql"]).toMatch(/WITHOUT ROWID$/);
});
