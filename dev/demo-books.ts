import { z } from "zod";
import type { Buyer, Scene } from "./demo-scene.ts";
import { waitFor } from "./wait-for.ts";

/** A ticket type that is sold out, its orders in the order of their buyers. */
interface CompletedSale {
  readonly typeId: string;
  readonly capacity: number;
  readonly soldTo: readonly Buyer[];
  readonly orderIds: readonly string[];
  /** A ticket of the first buyer. */
  readonly usedTicketId: string;
}

const withStatus = z.object({ status: z.string() });

/** The journey's sum: nothing oversold, every order complete, the admission noted. */
export async function checkBooks({ call, narrator }: Scene, sale: CompletedSale): Promise<void> {
  const { typeId, capacity, soldTo, orderIds, usedTicketId } = sale;
  const type = await waitFor("the stock in the books", async () => {
    const { body } = await call("GET", `/api/v1/tickets/types/${typeId}`);
    return body["soldCount"] === capacity ? body : undefined;
  });
  narrator.claim(
    "the ticket type reads sold out, none held, none oversold",
    type["availability"] === "sold_out" && type["heldCount"] === 0 && type["availableCount"] === 0,
    type,
  );
  for (const [at, orderId] of orderIds.entries()) {
    await waitFor(`order ${orderId} to be complete`, async () => {
      const order = withStatus.parse((await call("GET", `/api/v1/orders/${orderId}`, { token: soldTo[at]?.token ?? "" })).body);
      return order.status === "COMPLETED" ? order : undefined;
    });
  }
  narrator.claim("every order is COMPLETED", true);
  const used = await waitFor("the admission in the books", async () => {
    const ticket = withStatus.parse(
      (await call("GET", `/api/v1/tickets/${usedTicketId}`, { token: soldTo[0]?.token ?? "" })).body,
    );
    return ticket.status === "USED" ? ticket : undefined;
  });
  narrator.claim("the admitted ticket reads USED", used.status === "USED");
}
