import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

/** What this test uses of the rate-limit module, whose own types name bindings of the Worker that do not exist here. */
interface RateLimitModule {
  readonly RATE_LIMITS: Readonly<
    Record<string, { readonly binding: string; readonly quota: number; readonly windowSeconds: number }>
  >;
}

it("tells a caller who is turned away the limits that are in force, not some others", async () => {
  const { RATE_LIMITS } = (await import(
    new URL("../../src/http/middleware/rate-limit.ts", import.meta.url).href
  )) as RateLimitModule; // its types say more
  const text = await readFile(join(import.meta.dirname, "../../wrangler.toml"), "utf8");
  const pattern = /\[\[ratelimits\]\]\s+name = "(\w+)"\s+namespace_id = "\w+"\s+simple = \{ limit = (\d+), period = (\d+) \}/g;
  const configured = [...text.matchAll(pattern)].map(([, name, limit, period]) => [name, Number(limit), Number(period)]);
  const told = Object.values(RATE_LIMITS).map(({ binding, quota, windowSeconds }) => [binding, quota, windowSeconds]);
  expect(told.length).toBeGreaterThanOrEqual(4);
  expect(told.map(String).toSorted()).toEqual(configured.map(String).toSorted());
});
