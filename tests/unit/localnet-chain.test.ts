import { MPL_BUBBLEGUM_PROGRAM_ID } from "@metaplex-foundation/mpl-bubblegum";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { deriveProvisioned, provision } from "#dev/localnet/provision";
import { describeLocalnet, startLocalnet, type Localnet } from "#dev/localnet/start-localnet";
import { readTree } from "#dev/localnet/tree-reader";
import { generateSolanaWallet } from "#dev/secrets";
import type { Minter } from "#chain/minter";
import type { SubmittedTransaction } from "#chain/observe-signatures";
import { createRpcClient } from "#chain/rpc-client";
import { createUmiMinter } from "#chain/umi-minter";

const LIFE = 150;
const opened: Localnet[] = [];

async function open(finalityLagSlots = 4): Promise<Localnet> {
  const localnet = await startLocalnet({ port: 0, slotMs: 0, finalityLagSlots });
  opened.push(localnet);
  return localnet;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((localnet) => localnet.close()));
});

async function openWithMint() {
  const localnet = await open();
  const walletSecretKey = generateSolanaWallet();
  const { tree } = await provision(localnet.url, walletSecretKey);
  const minter = await createUmiMinter({ rpcUrl: localnet.url, walletSecretKey, treeAddress: tree });
  const { address } = await minter.ensureCollection({ eventId: "event", name: "Event", uri: "https://t.example" });
  const signed = await signOne(minter, { treeAddress: tree, collectionAddress: address }, "T");
  return { localnet, tree, minter, signed };
}

async function signOne(minter: Minter, place: { treeAddress: string; collectionAddress: string }, name: string) {
  const ticket = { ticketId: name, ownerAddress: null, name, uri: `https://t.example/${name}` };
  const { signed } = await minter.signMints({ ...place, attempts: 0, tickets: [ticket] });
  if (signed === null) throw new Error("nothing was signed");
  return signed;
}

async function look(minter: Minter, signed: SubmittedTransaction) {
  return (await minter.observe([signed])).get(signed.signature)?.seen;
}

describe("the local chain", () => {
  it("listens on 127.0.0.1 only and says whose code it runs", async () => {
    const localnet = await open();
    expect(new URL(localnet.url).hostname).toBe("127.0.0.1");
    expect(localnet.mode).toBe("emulator");
    expect(describeLocalnet(localnet)).toContain("emulator");
  });

  it("never closes an idle connection, into which a caller on a busy machine might be sending the next call", async () => {
    const { url } = await open();
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getSlot" });
    // A server that will close it says here after how many seconds.
    expect((await fetch(url, { method: "POST", body })).headers.get("keep-alive")).toBeNull();
  });

  it("takes a transaction up to its last valid height and not one block later", async () => {
    const early = await openWithMint();
    early.localnet.cluster.tick(LIFE);
    expect(await early.minter.sendMints(early.signed.wireBase64)).toBeNull();
    expect((await readTree(early.localnet.url, early.tree)).leaves).toHaveLength(1);
    const late = await openWithMint();
    late.localnet.cluster.tick(LIFE + 1);
    expect(await late.minter.sendMints(late.signed.wireBase64)).toContain("BlockhashNotFound");
    expect((await readTree(late.localnet.url, late.tree)).leaves).toHaveLength(0);
  });

  it("lets the same bytes land once however often they are sent", async () => {
    const { localnet, tree, minter, signed } = await openWithMint();
    for (let send = 0; send < 3; send += 1) expect(await minter.sendMints(signed.wireBase64)).toBeNull();
    expect((await readTree(localnet.url, tree)).accountLeafCount).toBe(1);
  });

  it("calls a block final only after the lag, so that a test can tell final from confirmed", async () => {
    const { localnet, minter, signed } = await openWithMint();
    await minter.sendMints(signed.wireBase64);
    localnet.cluster.tick(3);
    expect(await look(minter, signed)).toBe("in_flight");
    localnet.cluster.tick(1);
    expect(await look(minter, signed)).toBe("succeeded");
  });

  it("refuses a transaction whose bytes were changed after signing", async () => {
    const { localnet, tree, minter, signed } = await openWithMint();
    const bytes = Buffer.from(signed.wireBase64, "base64");
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 10) ^ 1, bytes.length - 10);
    expect(await minter.sendMints(bytes.toString("base64"))).toContain("signature verification failure");
    expect((await readTree(localnet.url, tree)).leaves).toHaveLength(0);
  });

  it("finds the same tree and collection again when it is provisioned twice", async () => {
    const localnet = await open();
    const walletSecretKey = generateSolanaWallet();
    const first = await provision(localnet.url, walletSecretKey);
    expect(await provision(localnet.url, walletSecretKey)).toEqual(first);
    expect(first).toMatchObject(await deriveProvisioned(walletSecretKey));
    expect(localnet.callCounts.get("requestAirdrop")).toBe(2);
    expect((await deriveProvisioned(generateSolanaWallet())).tree).not.toBe(first.tree);
  });

  it("answers unknown methods, broken JSON and broken parameters with an error, and goes on", async () => {
    const { url } = await open();
    const rpc = createRpcClient(url);
    await expect(rpc.call("noSuchMethod")).rejects.toThrow("-32601");
    await expect(rpc.call("toString")).rejects.toThrow("-32601");
    await expect(rpc.call("getBalance", ["not an address"])).rejects.toThrow("-32603");
    await expect(rpc.call("sendTransaction", ["AAAA", { encoding: "base64" }])).rejects.toThrow("-32603");
    const broken = await fetch(url, { method: "POST", body: "{" });
    expect(await broken.json()).toMatchObject({ error: { code: -32_700 } });
    expect(await rpc.call("getHealth")).toBe("ok");
  });
});

describe("a chain kept in a file", () => {
  it("goes on after a restart with its tree, its leaves and its money, and lets no transaction of before land again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "localnet-"));
    const stateFile = join(folder, "chain.json");
    const walletSecretKey = generateSolanaWallet();
    const openKept = () => startLocalnet({ port: 0, slotMs: 0, stateFile });
    const before = await openKept();
    const { tree } = await provision(before.url, walletSecretKey);
    const minterOn = (url: string) => createUmiMinter({ rpcUrl: url, walletSecretKey, treeAddress: tree });
    const first = await minterOn(before.url);
    const { address } = await first.ensureCollection({ eventId: "event", name: "Event", uri: "https://t.example" });
    const place = { treeAddress: tree, collectionAddress: address };
    const sign = (minter: Minter, name: string) => signOne(minter, place, name);
    const minted = await sign(first, "minted");
    await first.sendMints(minted.wireBase64);
    const unsent = await sign(first, "unsent");
    const contents = await readTree(before.url, tree);
    await before.close();

    const after = await openKept();
    await provision(after.url, walletSecretKey);
    expect(after.callCounts.get("sendTransaction")).toBeUndefined();
    expect(await readTree(after.url, tree)).toEqual(contents);
    const second = await minterOn(after.url);
    expect(await second.ensureCollection({ eventId: "event", name: "Event", uri: "" })).toEqual({ address, isReady: true });
    expect(await second.sendMints(unsent.wireBase64)).toContain("BlockhashNotFound");
    expect(await second.sendMints(minted.wireBase64)).toBeNull();
    expect(await second.sendMints((await sign(second, "later")).wireBase64)).toBeNull();
    expect((await readTree(after.url, tree)).leaves).toHaveLength(2);
    await after.close();
    await rm(folder, { recursive: true });
  });

  it("keeps what was final, and never shows a height twice, when it is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "localnet-"));
    const walletSecretKey = generateSolanaWallet();
    const killed = await startLocalnet({ port: 0, slotMs: 0, stateFile: join(folder, "chain.json") });
    const { tree } = await provision(killed.url, walletSecretKey);
    const minter = await createUmiMinter({ rpcUrl: killed.url, walletSecretKey, treeAddress: tree });
    const { address } = await minter.ensureCollection({ eventId: "event", name: "Event", uri: "https://t.example" });
    killed.cluster.tick(10 * LIFE);
    const minted = await signOne(minter, { treeAddress: tree, collectionAddress: address }, "minted");
    await minter.sendMints(minted.wireBase64);
    while ((await look(minter, minted)) !== "succeeded") killed.cluster.tick(1);
    const leftAtOnce = join(folder, "left-at-once.json");
    await copyFile(join(folder, "chain.json"), leftAtOnce);
    killed.cluster.tick(LIFE - 1);
    const leftLater = join(folder, "left-later.json");
    await copyFile(join(folder, "chain.json"), leftLater);

    for (const stateFile of [leftAtOnce, leftLater]) {
      const next = await startLocalnet({ port: 0, slotMs: 0, stateFile });
      expect((await readTree(next.url, tree)).leaves).toHaveLength(1);
      expect(next.cluster.heightAt("confirmed")).toBeGreaterThan(killed.cluster.heightAt("confirmed"));
      expect(next.cluster.slotAt("confirmed")).toBeGreaterThan(killed.cluster.slotAt("confirmed"));
      await next.close();
    }
    await killed.close();
    await rm(folder, { recursive: true });
  });
});

describe("what the minter makes of a node's answers", () => {
  it("calls a signature unclear, not unknown, when the answering node is behind the finalized slot", async () => {
    const { localnet, signed, tree } = await openWithMint();
    const lagging: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!JSON.stringify(init).includes("getSignatureStatuses")) return response;
      const answer = (await response.json()) as { result: { context: { slot: number } } };
      answer.result.context.slot = 1;
      return Response.json(answer);
    };
    const minter = await createUmiMinter({
      rpcUrl: localnet.url,
      walletSecretKey: generateSolanaWallet(),
      treeAddress: tree,
      fetcher: lagging,
    });
    expect(await look(minter, signed)).toBe("unclear");
    const upToDate = await createUmiMinter({
      rpcUrl: localnet.url,
      walletSecretKey: generateSolanaWallet(),
      treeAddress: tree,
    });
    expect(await look(upToDate, signed)).toBe("unknown");
  });

  it("finds an old transaction by searching the history, so that it is never taken for lost", async () => {
    const { localnet, minter, signed } = await openWithMint();
    await minter.sendMints(signed.wireBase64);
    localnet.cluster.tick(1_000);
    const rpc = createRpcClient(localnet.url);
    expect(await rpc.call("getSignatureStatuses", [[signed.signature]])).toMatchObject({ value: [null] });
    expect(await look(minter, signed)).toBe("succeeded");
  });
});

describe("what Solana's explorer asks of the local chain", () => {
  const EXPLORER = "https://explorer.solana.com";

  it("is allowed to the explorer's page, and to no other", async () => {
    const { url } = await open();
    const preflight = async (origin: string) => (await fetch(url, { method: "OPTIONS", headers: { origin } })).headers;
    const allowed = await preflight(EXPLORER);
    expect(allowed.get("access-control-allow-origin")).toBe(EXPLORER);
    expect(allowed.get("access-control-allow-headers")).toContain("content-type");
    expect((await preflight("https://elsewhere.example")).get("access-control-allow-origin")).toBeNull();
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getGenesisHash" });
    const answer = await fetch(url, { method: "POST", headers: { origin: EXPLORER }, body });
    expect(answer.headers.get("access-control-allow-origin")).toBe(EXPLORER);
  });

  it("is answered: the cluster, a transaction's status and time, and its accounts by name", async () => {
    const { localnet, minter, signed } = await openWithMint();
    await minter.sendMints(signed.wireBase64);
    const rpc = createRpcClient(localnet.url);
    for (const method of ["getFirstAvailableBlock", "getEpochSchedule", "getEpochInfo", "getGenesisHash"]) {
      expect(await rpc.call(method), method).toBeDefined();
    }
    const history = { searchTransactionHistory: true };
    const { value } = await rpc.call<{ value: { slot: number }[] }>("getSignatureStatuses", [[signed.signature], history]);
    expect(await rpc.call("getBlockTime", [value[0]?.slot])).toBeGreaterThan(1_700_000_000);
    const options = { commitment: "confirmed", encoding: "jsonParsed", maxSupportedTransactionVersion: 0 };
    localnet.cluster.tick(1);
    const { transaction } = await rpc.call<{ transaction: { message: { accountKeys: object[]; instructions: object[] } } }>(
      "getTransaction",
      [signed.signature, options],
    );
    const { accountKeys, instructions } = transaction.message;
    expect(accountKeys[0]).toEqual({ pubkey: minter.walletAddress, signer: true, writable: true, source: "transaction" });
    expect(instructions).toContainEqual(expect.objectContaining({ programId: MPL_BUBBLEGUM_PROGRAM_ID }));
  });
});
