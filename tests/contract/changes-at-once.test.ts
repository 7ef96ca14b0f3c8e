/** What organisers change at the same moment: each is answered as if they had come one after the other. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { idOf, openSale, type Sale } from "../support/open-sale.ts";
import type { CheckedAnswer } from "../support/contract-call.ts";

const CROWD = 16;

/** Everyone of a crowd sends their own change at once. */
function changeAtOnce(sale: Sale, path: string, bodyOf: (nth: number) => unknown): Promise<CheckedAnswer[]> {
  return Promise.all(Array.from({ length: CROWD }, (_, nth) => sale.manager.call("PUT", path, { body: bodyOf(nth + 1) })));
}

async function makeCode(sale: Sale): Promise<string> {
  const body = { code: "CROWD", type: "percentage", percentBps: 1_000 };
  return `/api/v1/discounts/${idOf(await sale.manager.call("POST", "/api/v1/discounts", { body }))}`;
}

describe("a crowd that changes", () => {
  it("one ticket type is heard to the last, and its inventory ends as its organisers read it", async () => {
    const sale = await openSale({ quantity: 100 });
    const answers = await changeAtOnce(sale, sale.path, (nth) => ({ quantity: 100 + nth, maxPerOrder: nth }));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { body } = await sale.manager.call("PUT", sale.path, { body: {} });
    expect(answers).toContainEqual(expect.objectContaining({ body }));
    const bought = { ...sale.basket(1), tickets: [{ ticketTypeId: sale.typeId, quantity: Number(body["maxPerOrder"]) }] };
    const buyer = await sale.makeBuyer();
    expect((await buyer.call("POST", "/api/v1/tickets/purchase", { key: "all", body: bought })).status).toBe(201);
  });

  it("one discount is heard to the last", async () => {
    const sale = await openSale();
    const path = await makeCode(sale);
    const answers = await changeAtOnce(sale, path, (nth) => ({ maxUses: nth }));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { body } = await sale.manager.call("PUT", path, { body: {} });
    const cap = await env.TICKET_TYPE_INVENTORY.getByName(`discount-${String(body["id"])}`).snapshot();
    expect(cap?.capacity).toBe(body["maxUses"]);
  });

  it("a discount while it is archived cannot bring it back, and nobody hears of a fault", async () => {
    const sale = await openSale();
    const path = await makeCode(sale);
    const [archived, answers] = await Promise.all([
      sale.manager.call("DELETE", path),
      changeAtOnce(sale, path, (nth) => ({ maxUses: nth })),
    ]);
    expect(archived.status).toBe(204);
    for (const { status } of answers) expect([200, 404]).toContain(status);
    expect(await sale.manager.call("PUT", path, { body: {} })).toMatchObject({ status: 404 });
  });
});
