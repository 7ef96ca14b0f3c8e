import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Buyer, Scene } from "./demo-journey.ts";

const codeSchema = z.object({ qr: z.string() });
const transferSchema = z.object({ id: z.string(), status: z.string() });

/** The journey's side path: a ticket changes hands, and its old code is dead before the new owner is told. */
export async function passTicketOn(scene: Scene, owner: Buyer, ticketId: string): Promise<void> {
  const { call, narrator, stage, eventId } = scene;
  const friend: Buyer = await makeBuyer(scene);
  const showCode = async (holder: Buyer): Promise<string> =>
    codeSchema.parse((await call("GET", `/api/v1/qr/${ticketId}/generate`, { token: holder.token })).body).qr;
  const oldCode = await showCode(owner);
  const offer = transferSchema.parse(
    (
      await call("POST", "/api/v1/transfer", {
        token: owner.token,
        body: { ticketId, toUserId: friend.userId },
        idempotencyKey: randomUUID(),
      })
    ).body,
  );
  narrator.tell(`offer ${offer.id} ${offer.status}`);
  const stranger = await makeBuyer(scene);
  const theft = await call("POST", `/api/v1/transfer/${offer.id}/accept`, { token: stranger.token });
  narrator.claim("nobody but the friend can accept it", theft.status === 404, theft.body);
  const accepted = await call("POST", `/api/v1/transfer/${offer.id}/accept`, { token: friend.token });
  narrator.claim("the friend accepts", accepted.status === 200 && accepted.body["status"] === "ACCEPTED", accepted.body);
  const steward = await stage.signIn("door_staff");
  const scan = async (qr: string) =>
    (await call("POST", "/api/v1/validation/scan", { token: steward, body: { qr, eventId, type: "entry" } })).body;
  const old = await scan(oldCode);
  narrator.claim("the code the old owner still shows is refused", old["reason"] === "revoked", old);
  const entered = await scan(await showCode(friend));
  narrator.claim("the friend's code is admitted", entered["result"] === "admitted", entered);
}

async function makeBuyer({ stage }: Scene): Promise<Buyer> {
  const userId = randomUUID();
  return { userId, token: await stage.signIn("user", userId) };
}
