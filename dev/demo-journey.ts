import { randomUUID } from "node:crypto";
import { z } from "zod";
import { createHttpClient, type Answer } from "./http-client.ts";
import { checkBooks } from "./demo-books.ts";
import { claimIntoWallet } from "./demo-claim.ts";
import { payTicketBack } from "./demo-refund.ts";
import type { Buyer, Client, DemoStage, Narrator, Scene } from "./demo-scene.ts";
import { passTicketOn } from "./demo-transfer.ts";
import { verifyMintedLeaf } from "./localnet/tree-reader.ts";
import { waitFor } from "./wait-for.ts";

const CAPACITY = 3;
const PRICE_CENTS = 4_500;
const BUYERS = 5;

const withId = z.object({ id: z.string() });
const orderSchema = z.object({
  id: z.string(),
  orderNumber: z.string(),
  status: z.string(),
  totalCents: z.number(),
  payment: z.object({ id: z.string(), action: z.object({ type: z.string(), url: z.string().optional() }) }).nullable(),
});
const ticketSchema = z.object({ id: z.string(), status: z.string(), ownerUserId: z.string() });
const mintSchema = z.object({
  status: z.string(),
  assetId: z.string().nullable(),
  signature: z.string().nullable(),
  leafIndex: z.number().nullable(),
});
const scanSchema = z.object({
  result: z.string(),
  reason: z.string().nullable(),
  message: z.string(),
  receipt: z.string().nullable(),
});

interface Purchase {
  readonly buyer: Buyer;
  readonly key: string;
  readonly answer: Answer;
}

/**
 * The whole journey over HTTP: an event is made, more is bought than there is, the provider's signed webhooks pay, Solana holds
 * each ticket, the door admits it once. Each claim is checked where it is printed.
 */
export async function runJourney(stage: DemoStage, narrator: Narrator): Promise<void> {
  const call = createHttpClient(stage.serviceUrl);
  const provider = createHttpClient(stage.providerUrl);
  const manager = await stage.signIn("venue_manager");

  narrator.step("An organiser makes an event with one ticket type");
  const eventId = await makeEvent(call, manager);
  const typeId = await makeTicketType(call, manager, eventId);
  narrator.tell(`event ${eventId}, ticket type ${typeId}, ${CAPACITY} tickets at 45.00 EUR`);

  narrator.step(`${BUYERS} buyers want a ticket at the same instant`);
  const purchases = await Promise.all(Array.from({ length: BUYERS }, () => buy(stage, call, eventId, typeId)));
  const sold = purchases.filter(({ answer }) => answer.status === 201);
  const refused = purchases.filter(({ answer }) => answer.status === 409 && answer.body["code"] === "sold_out");
  narrator.claim(
    `exactly ${CAPACITY} get an order, the others are told it is sold out`,
    sold.length === CAPACITY && refused.length === BUYERS - CAPACITY,
    purchases.map(({ answer }) => [answer.status, answer.body["code"]]),
  );
  const orders = sold.map(({ answer }) => orderSchema.parse(answer.body));
  for (const order of orders)
    narrator.tell(`order ${order.id} ${order.orderNumber} ${order.status}, payment ${order.payment?.id}`);
  await replayPurchase(call, narrator, eventId, typeId, sold);

  narrator.step("The payment provider reports the payments by signed webhooks, each of them twice");
  const forged = await fetch(`${stage.serviceUrl}/api/v1/webhooks/payments/standard`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": "evt_forged",
      "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
      "webhook-signature": "v1,Zm9yZ2Vk",
    },
    body: JSON.stringify({ type: "payment.succeeded", timestamp: new Date().toISOString(), data: {} }),
  });
  narrator.claim("a forged webhook is refused", forged.status === 401, forged.status);
  for (const order of orders) await provider("POST", `/payments/${order.payment?.id}/succeed?duplicates=1`);
  const tickets = await Promise.all(sold.map(({ buyer }, at) => waitForTicket(call, buyer, orders[at]?.id ?? "")));
  narrator.claim(
    "each paid order has one ticket, owned by its buyer",
    tickets.every((ticket, at) => ticket.ownerUserId === sold[at]?.buyer.userId),
    tickets,
  );

  narrator.step("Every ticket is minted on Solana as a compressed NFT");
  for (const [at, ticket] of tickets.entries()) await checkMint(stage, call, narrator, sold[at]?.buyer, ticket.id);

  narrator.step("The door");
  const scene = { stage, call, narrator, eventId };
  const [entering, giver, leaving] = sold;
  const [usedId = "", givenId = "", unwantedId = ""] = tickets.map((ticket) => ticket.id);
  await walkThroughTheDoor(scene, entering?.buyer, giver?.buyer, usedId);

  narrator.step("A ticket changes hands");
  if (giver) await passTicketOn(scene, giver.buyer, givenId);

  narrator.step("A holder takes their NFT into a wallet of their own");
  if (leaving) await claimIntoWallet(scene, leaving.buyer, unwantedId);

  narrator.step("The books");
  const orderIds = orders.map((order) => order.id);
  const soldTo = sold.map(({ buyer }) => buyer);
  await checkBooks(scene, { typeId, capacity: CAPACITY, soldTo, orderIds, usedTicketId: usedId });

  narrator.step("A ticket is paid back");
  const unwanted = { orderId: orderIds[2] ?? "", typeId, ticketId: unwantedId, priceCents: PRICE_CENTS };
  if (leaving) await payTicketBack(scene, { holder: leaving.buyer, ...unwanted });
}

async function makeEvent(call: Client, manager: string): Promise<string> {
  const startsAt = new Date(Date.now() + 3_600_000).toISOString();
  const endsAt = new Date(Date.now() + 4 * 3_600_000).toISOString();
  const body = { name: "Opening Night", venueName: "Town Hall", startsAt, endsAt, timezone: "Europe/Berlin", currency: "EUR" };
  return withId.parse((await call("POST", "/api/v1/events", { token: manager, body })).body).id;
}

async function makeTicketType(call: Client, manager: string, eventId: string): Promise<string> {
  const body = { eventId, name: "Standing", priceCents: PRICE_CENTS, quantity: CAPACITY };
  return withId.parse((await call("POST", "/api/v1/tickets/types", { token: manager, body })).body).id;
}

async function buy(stage: DemoStage, call: Client, eventId: string, ticketTypeId: string): Promise<Purchase> {
  const userId = randomUUID();
  const token = await stage.signIn("user", userId);
  const key = randomUUID();
  const body = { eventId, tickets: [{ ticketTypeId, quantity: 1 }] };
  return {
    buyer: { userId, token },
    key,
    answer: await call("POST", "/api/v1/purchase", { token, body, idempotencyKey: key }),
  };
}

async function replayPurchase(
  call: Client,
  narrator: Narrator,
  eventId: string,
  ticketTypeId: string,
  sold: readonly Purchase[],
): Promise<void> {
  const [first] = sold;
  if (!first) return;
  const again = { token: first.buyer.token, idempotencyKey: first.key };
  const repeat = await call("POST", "/api/v1/purchase", {
    ...again,
    body: { eventId, tickets: [{ ticketTypeId, quantity: 1 }] },
  });
  narrator.claim(
    "a repeated request gets the same order and buys nothing more",
    repeat.body["id"] === first.answer.body["id"] && repeat.headers.get("idempotency-replayed") === "true",
    repeat.body,
  );
  const other = await call("POST", "/api/v1/purchase", {
    ...again,
    body: { eventId, tickets: [{ ticketTypeId, quantity: 2 }] },
  });
  narrator.claim(
    "the same key with another body is refused",
    other.status === 422 && other.body["code"] === "idempotency_key_reused",
    other.body,
  );
}

async function waitForTicket(call: Client, buyer: Buyer, orderId: string): Promise<z.infer<typeof ticketSchema>> {
  return waitFor(`the tickets of order ${orderId}`, async () => {
    const answer = await call("GET", `/api/v1/orders/${orderId}/tickets`, { token: buyer.token });
    const { items } = z.object({ items: z.array(ticketSchema) }).parse(answer.body);
    return items.length === 1 ? items[0] : undefined;
  });
}

async function checkMint(
  stage: DemoStage,
  call: Client,
  narrator: Narrator,
  buyer: Buyer | undefined,
  ticketId: string,
): Promise<void> {
  const mint = await waitFor(`the mint of ticket ${ticketId}`, async () => {
    const state = mintSchema.parse((await call("GET", `/mint/${ticketId}`, { token: buyer?.token ?? "" })).body);
    return state.status === "MINTED" ? state : undefined;
  });
  const { assetId, signature, leafIndex } = mint;
  if (assetId === null || signature === null || leafIndex === null)
    throw new Error("a minted ticket has its asset, signature and leaf");
  const problems = await verifyMintedLeaf(stage.rpcUrl, stage.tree, { assetId, signature, leafIndex });
  narrator.claim(
    `ticket ${ticketId} is leaf ${leafIndex} of the tree read from the chain, asset ${assetId}`,
    problems.length === 0,
    problems,
  );
  const metadata = await call("GET", `/nft/${ticketId}`);
  narrator.claim(
    "its metadata is served and names nobody",
    metadata.status === 200 && !JSON.stringify(metadata.body).includes(buyer?.userId ?? ""),
    metadata.body,
  );
}

async function walkThroughTheDoor(
  scene: Scene,
  holder: Buyer | undefined,
  stranger: Buyer | undefined,
  ticketId: string,
): Promise<void> {
  const { call, narrator, stage, eventId } = scene;
  const steward = await stage.signIn("door_staff");
  const others = await call("GET", `/api/v1/qr/${ticketId}/generate`, { token: stranger?.token ?? "" });
  narrator.claim("nobody else can show the holder's code", others.status === 404, others.status);
  const shown = await call("GET", `/api/v1/qr/${ticketId}/generate`, { token: holder?.token ?? "" });
  const { qr } = z.object({ qr: z.string(), expiresAt: z.string(), svg: z.string() }).parse(shown.body);
  narrator.tell(`the holder shows a code of ${qr.length} characters, valid until ${String(shown.body["expiresAt"])}`);
  const scan = async (code: string): Promise<z.infer<typeof scanSchema>> =>
    scanSchema.parse(
      (await call("POST", "/api/v1/validation/scan", { token: steward, body: { qr: code, eventId, type: "entry" } })).body,
    );
  const forged = `${qr.slice(0, 60)}${qr[60] === "A" ? "B" : "A"}${qr.slice(61)}`;
  narrator.claim("a forged code is refused", (await scan(forged)).reason === "invalid");
  const both = await Promise.all([scan(qr), scan(qr)]);
  const admitted = both.filter((answer) => answer.result === "admitted");
  const again = both.find((answer) => answer.result === "refused");
  narrator.claim(
    "two devices scan the code at the same instant: one admits, one refuses",
    admitted.length === 1 && again?.reason === "already_redeemed",
    both,
  );
  narrator.tell(`receipt ${admitted[0]?.receipt?.slice(0, 40)}…, refusal: “${again?.message}”`);
  narrator.claim("and it stays refused", (await scan(qr)).reason === "already_redeemed");
}
