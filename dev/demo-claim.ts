import { generateKeyPairSync, sign } from "node:crypto";
import { z } from "zod";
import { encodeBase58 } from "#domain/base58";
import type { Buyer, Scene } from "./demo-scene.ts";
import { followAsset } from "./demo-transfer.ts";

const challengeSchema = z.object({ message: z.string(), expiresAt: z.string() });

/** A wallet as an app of its owner holds it: it shows texts and signs them. */
interface Wallet {
  readonly address: string;
  /** @returns 64 bytes in base58. */
  sign(text: string): string;
}

/** The journey's way onto the chain for a holder who bought without a wallet: the NFT leaves the service's custody for theirs. */
export async function claimIntoWallet(scene: Scene, holder: Buyer, ticketId: string): Promise<void> {
  const { call, narrator } = scene;
  const wallet = makeWallet();
  const path = `/api/v1/tickets/${ticketId}/claim`;
  const asHolder = (target: string, body: unknown) => call("POST", target, { token: holder.token, body });
  const given = await asHolder(`${path}/challenge`, { walletAddress: wallet.address });
  const { message } = challengeSchema.parse(given.body);
  narrator.tell(`wallet ${wallet.address} is shown: “${message.split("\n")[0]}”`);
  const forged = await asHolder(path, { message, signature: makeWallet().sign(message) });
  narrator.claim("another wallet's signature is refused", forged.body["code"] === "claim_signature_invalid", forged.body);
  const signature = wallet.sign(message);
  const claimed = await asHolder(path, { message, signature });
  narrator.claim(
    "the wallet's own is taken",
    claimed.status === 200 && claimed.body["walletAddress"] === wallet.address,
    claimed.body,
  );
  const again = await asHolder(path, { message, signature });
  narrator.claim("and is good for no second claim", again.body["code"] === "claim_challenge_used", again.body);
  await followAsset(scene, holder, ticketId, { address: wallet.address, whose: "the holder's" });
}

function makeWallet(): Wallet {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return {
    address: encodeBase58(Buffer.from(x, "base64url")),
    sign: (text) => encodeBase58(sign(null, Buffer.from(text), privateKey)),
  };
}
