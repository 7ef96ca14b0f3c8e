import { randomUUID } from "node:crypto";
import { z } from "zod";
import { decodeBase58, encodeBase58 } from "#domain/base58";
import { climb } from "#domain/merkle-tree";
import type { Buyer, Scene } from "./demo-scene.ts";
import { readTree } from "./localnet/tree-reader.ts";
import { generateSolanaAddress } from "./secrets.ts";
import { waitFor } from "./wait-for.ts";

const codeSchema = z.object({ qr: z.string() });
const transferSchema = z.object({ id: z.string(), status: z.string() });
const proofSchema = z.object({ leafIndex: z.int(), leafHash: z.string(), proof: z.array(z.string()), root: z.string() });
const assetSchema = z.object({ assetId: z.string() });

/** The journey's side path: a ticket changes hands, its old code is dead before the new owner is told, and its NFT follows. */
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
  const walletAddress = generateSolanaAddress();
  const accepted = await call("POST", `/api/v1/transfer/${offer.id}/accept`, { token: friend.token, body: { walletAddress } });
  narrator.claim("the friend accepts", accepted.status === 200 && accepted.body["status"] === "ACCEPTED", accepted.body);
  const steward = await stage.signIn("door_staff");
  const scan = async (qr: string) =>
    (await call("POST", "/api/v1/validation/scan", { token: steward, body: { qr, eventId, type: "entry" } })).body;
  const old = await scan(oldCode);
  narrator.claim("the code the old owner still shows is refused", old["reason"] === "revoked", old);
  const entered = await scan(await showCode(friend));
  narrator.claim("the friend's code is admitted", entered["result"] === "admitted", entered);
  await followAsset(scene, friend, ticketId, { address: walletAddress, whose: "the friend's" });
}

/** Waits until a ticket's asset is in a wallet, as the tree read from the chain shows it, and checks its proof. */
export async function followAsset(
  { call, narrator, stage }: Scene,
  owner: Buyer,
  ticketId: string,
  wallet: { readonly address: string; readonly whose: string },
): Promise<void> {
  const { assetId } = assetSchema.parse((await call("GET", `/mint/${ticketId}`, { token: owner.token })).body);
  const moved = await waitFor("the asset to follow its ticket", async () => {
    const { leaves, computedRoot, accountRoot } = await readTree(stage.rpcUrl, stage.tree);
    const isThere = leaves.some(({ leaf }) => leaf.assetId === assetId && leaf.owner === wallet.address);
    return isThere ? { isWhole: computedRoot === accountRoot } : undefined;
  });
  const { leafIndex, leafHash, proof, root } = await waitFor("a proof of the asset", async () => {
    const answer = await call("GET", `/mint/${ticketId}/proof`, { token: owner.token });
    return answer.status === 200 && answer.body["ownerAddress"] === wallet.address ? proofSchema.parse(answer.body) : undefined;
  });
  const climbed = climb(readHash(leafHash), proof.map(readHash), leafIndex);
  narrator.claim(`its Merkle proof of ${proof.length} nodes leads to the root ${root}`, encodeBase58(climbed.root) === root);
  narrator.claim(
    `the tree read from the chain has asset ${assetId} with ${wallet.whose} wallet ${wallet.address}`,
    moved.isWhole,
  );
}

function readHash(text: string): Uint8Array {
  const bytes = decodeBase58(text);
  if (!bytes.ok) throw new Error(`${text} is no base58`);
  return bytes.value;
}

async function makeBuyer({ stage }: Scene): Promise<Buyer> {
  const userId = randomUUID();
  return { userId, token: await stage.signIn("user", userId) };
}
