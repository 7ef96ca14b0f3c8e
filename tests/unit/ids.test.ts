import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  deriveId,
  deriveIdWithin,
  deskName,
  deskNumberFor,
  deskNumberOf,
  hashParts,
  isDeskOfTenant,
  isUuid,
  sharedPrefixOf,
} from "#domain/ids";

const texts = fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 4 });
const desks = fc.integer({ min: 0, max: 0xffff_ffff });

describe("a derived id", () => {
  it("is a UUID of version 8 that names its desk, and the same for the same facts", () => {
    fc.assert(
      fc.property(desks, texts, (desk, parts) => {
        const id = deriveId(desk, parts);
        expect(isUuid(id)).toBe(true);
        expect(id[14]).toBe("8");
        expect("89ab").toContain(id[19]);
        expect(deskNumberOf(id)).toBe(desk);
        expect(deriveId(desk, parts)).toBe(id);
      }),
    );
  });

  it("differs when any fact differs, also when the facts run together alike", () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(deriveId(1, one)).not.toBe(deriveId(1, other));
      }),
    );
    expect(hashParts(["ab", "c"])).not.toBe(hashParts(["a", "bc"]));
    expect(hashParts(["1:a"])).not.toBe(hashParts(["a"]));
  });

  it("of a child begins like its parent's, so that a ticket's id leads to its order", () => {
    fc.assert(
      fc.property(desks, texts, fc.nat(500), (desk, parts, seat) => {
        const parent = deriveId(desk, parts);
        const child = deriveIdWithin(parent, ["ticket", String(seat)]);
        expect(isUuid(child)).toBe(true);
        expect(sharedPrefixOf(child)).toBe(sharedPrefixOf(parent));
        expect(child).not.toBe(parent);
      }),
    );
  });

  it("is not met again among 20,000 children of one order", () => {
    const parent = deriveId(7, ["order"]);
    const children = Array.from({ length: 20_000 }, (_, seat) => deriveIdWithin(parent, ["ticket", String(seat)]));
    expect(new Set(children).size).toBe(20_000);
  });
});

describe("a desk", () => {
  it("is found again by the ids it made, and is known as its tenant's", () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.uuid(),
        fc.uuid(),
        fc.integer({ min: 1, max: 256 }),
        (tenantId, otherId, userId, desksPerTenant) => {
          const desk = deskNumberFor(tenantId, userId, desksPerTenant);
          expect(desk % 256).toBeLessThan(desksPerTenant);
          expect(isDeskOfTenant(deskNumberOf(deriveId(desk, [tenantId])), tenantId)).toBe(true);
          expect(isDeskOfTenant(desk, otherId)).toBe(
            Math.floor(deskNumberFor(otherId, userId, 1) / 256) === Math.floor(desk / 256),
          );
          expect(deskName(desk)).toMatch(/^desk-[0-9a-f]{8}$/);
        },
      ),
    );
  });

  it("shares a tenant's buyers with the others about evenly", () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (let buyer = 0; buyer < 4_000; buyer += 1) {
      const desk = deskNumberFor("tenant", `buyer-${buyer}`, 8) % 256;
      counts[desk] = (counts[desk] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(400);
    expect(Math.max(...counts)).toBeLessThan(600);
  });
});
