import { randomUUID } from "node:crypto";
import { assembleCredential, encodeSignedBytes } from "#domain/credential";
import { importSigningKeys, signBytes } from "#platform/signing-keys";
import type { BenchWorld } from "./bench-world.ts";

/**
 * Bodies of one scan for each ticket, each with a code that the service itself would show now. They live 30 s: sign them
 * right before the load.
 * @param keyRing `CREDENTIAL_SIGNING_KEYS` of the service.
 */
export async function signScanBodies(world: BenchWorld, keyRing: string, ticketIds: readonly string[]): Promise<string[]> {
  const [newest = ""] = keyRing.split(",");
  const [keyId = "", seed = ""] = newest.trim().split(":");
  const keys = await importSigningKeys([{ keyId: Number(keyId), seed: Buffer.from(seed, "base64url") }]);
  const { eventId, soldTypeNumber: ticketTypeNumber } = world;
  const issuedAtSeconds = Math.floor(Date.now() / 1000);
  return Promise.all(
    ticketIds.map(async (ticketId) => {
      const facts = { keyId: Number(keyId), ticketId, eventId, ticketTypeNumber, credentialEpoch: 0, issuedAtSeconds };
      const signedBytes = encodeSignedBytes(facts);
      const qr = assembleCredential(signedBytes, await signBytes(keys, signedBytes));
      return JSON.stringify({ qr, eventId, type: "entry", nonce: randomUUID() });
    }),
  );
}
