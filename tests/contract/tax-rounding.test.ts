import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Env } from "#src/config";
import { makeApp } from "../support/call-service.ts";
import { openSale } from "../support/open-sale.ts";

it.each<[Env["TAX_ROUNDING"] & string, number, number]>([
  ["line", 50_000, 7_985],
  ["sum_by_net", 49_998, 7_983],
  ["sum_by_net_keep_gross", 50_000, 7_983],
])("an order's tax is rounded as TAX_ROUNDING=%s says", async (taxRounding, totalCents, taxCents) => {
  const sale = await openSale({ priceCents: 10_000, taxRateBps: 1_900 });
  const buyer = await sale.makeBuyer();
  const app = makeApp({ env: { ...env, TAX_ROUNDING: taxRounding } });
  const quoted = await app.fetch("/api/v1/purchase/quote", {
    method: "POST",
    headers: { authorization: `Bearer ${buyer.token}`, "content-type": "application/json" },
    body: JSON.stringify(sale.basket(5)),
  });
  expect(await quoted.json()).toMatchObject({ totalCents, taxCents, items: [{ totalCents, unitPriceCents: 10_000 }] });
});
