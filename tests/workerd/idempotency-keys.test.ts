/** Who is told that an Idempotency-Key is new, of requests whose effect is D1's own, and for how long it is not. */
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import type { RequestIdentity } from "#domain/order-messages";
import { claimIdempotencyKey, findRefusal, storeRefusal } from "#storage/idempotency-keys";
import { pruneIdempotencyKeys } from "#storage/prune";

const db = drizzle(env.DB);
const DAY_MS = 86_400_000;
/** Long ago, so that pruning forgets the keys of no other test. */
const NOW_MS = 1_000_000_000;

function makeRequest(bodyHash = "body"): RequestIdentity {
  const ids = { tenantId: crypto.randomUUID(), userId: crypto.randomUUID(), requestId: crypto.randomUUID() };
  return { ...ids, route: "POST /mint", bodyHash };
}

async function countRows({ requestId }: RequestIdentity): Promise<number | null> {
  return env.DB.prepare("SELECT count(*) AS rows FROM idempotency_keys WHERE id = ?").bind(requestId).first<number>("rows");
}

describe("an Idempotency-Key of a request to D1 itself", () => {
  it("is new to one of those who use it at the same instant", async () => {
    const request = makeRequest();
    const claims = await Promise.all(Array.from({ length: 5 }, () => claimIdempotencyKey(db, request, NOW_MS)));
    expect(claims.map(({ outcome }) => outcome).toSorted()).toEqual(["new", ...Array<string>(4).fill("repeated")]);
    expect(await countRows(request)).toBe(1);
  });

  it("is known for 24 h from its first use, whoever's clock is behind, and keeps that moment and its refusal", async () => {
    const request = makeRequest();
    await claimIdempotencyKey(db, request, NOW_MS);
    await storeRefusal(db, request.requestId, { code: "ticket_not_valid" });
    for (const atMs of [NOW_MS - 1_000, NOW_MS + 1, NOW_MS + DAY_MS]) {
      expect(await claimIdempotencyKey(db, request, atMs)).toEqual({ outcome: "repeated", claimedAtMs: NOW_MS });
      const other = { ...request, bodyHash: "another body" };
      expect(await claimIdempotencyKey(db, other, atMs)).toEqual({ outcome: "reused", claimedAtMs: NOW_MS });
    }
    expect(await findRefusal(db, request.requestId)).toEqual({ code: "ticket_not_valid" });
  });

  it("is new again after that, without its refusal, whether or not it was forgotten", async () => {
    const request = makeRequest();
    await claimIdempotencyKey(db, request, NOW_MS);
    await storeRefusal(db, request.requestId, { code: "ticket_not_valid" });
    const atMs = NOW_MS + DAY_MS + 1;
    const other = { ...request, bodyHash: "another body" };
    expect(await claimIdempotencyKey(db, other, atMs)).toEqual({ outcome: "new", claimedAtMs: atMs });
    expect(await findRefusal(db, request.requestId)).toBeUndefined();
    expect(await countRows(request)).toBe(1);
  });

  it("is forgotten no earlier than it may be new again", async () => {
    const request = makeRequest();
    await claimIdempotencyKey(db, request, 1_000);
    await pruneIdempotencyKeys(env.DB, 1_000, 100);
    expect(await countRows(request)).toBe(1);
    await pruneIdempotencyKeys(env.DB, 1_001, 100);
    expect(await countRows(request)).toBe(0);
  });

  it("is no other body's when it is forgotten just then", async () => {
    const request = makeRequest();
    await claimIdempotencyKey(db, request, NOW_MS);
    const forgetful = new Proxy(env.DB, {
      get: (target, name) => {
        if (name === "batch") return target.batch.bind(target);
        return (statement: string) => {
          if (statement.startsWith("select")) {
            void target.prepare("DELETE FROM idempotency_keys WHERE id = ?").bind(request.requestId).run();
          }
          return target.prepare(statement);
        };
      },
    });
    expect((await claimIdempotencyKey(drizzle(forgetful), request, NOW_MS + DAY_MS)).outcome).not.toBe("reused");
  });

  it("is new though an order's record has the same id: that is no claim", async () => {
    const request = makeRequest();
    const { requestId, tenantId, userId } = request;
    await env.DB.prepare(
      "INSERT INTO idempotency_keys (id, tenant_id, user_id, route, body_hash, created_at_ms) VALUES (?, ?, ?, 'r', 'h', ?)",
    )
      .bind(requestId, tenantId, userId, NOW_MS - 1)
      .run();
    expect(await claimIdempotencyKey(db, request, NOW_MS)).toEqual({ outcome: "new", claimedAtMs: NOW_MS });
    expect(await claimIdempotencyKey(db, request, NOW_MS + 1)).toEqual({ outcome: "repeated", claimedAtMs: NOW_MS });
  });
});
