import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

it("applies every migration on an empty database", async () => {
  const rows = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  expect(rows.results.length).toBeGreaterThan(15);
});
