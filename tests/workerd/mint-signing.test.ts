import { describe, expect, it } from "vitest";
import { base58, base64 } from "@metaplex-foundation/umi/serializers";
import { ed25519 } from "@noble/curves/ed25519";
import { loadAssetChain, loadMinter } from "#chain/load-chain";
import { importWalletSigner } from "#chain/wallet-signer";

function makeWallet(): { secretKey: string; publicBytes: Uint8Array } {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicBytes = ed25519.getPublicKey(seed);
  return { secretKey: base58.deserialize(new Uint8Array([...seed, ...publicBytes]))[0], publicBytes };
}

const address = (): string => base58.deserialize(ed25519.getPublicKey(crypto.getRandomValues(new Uint8Array(32))))[0];

describe("the minting wallet in workerd", () => {
  it("signs as its own address, and nothing that it gives away contains the key", async () => {
    const { secretKey, publicBytes } = makeWallet();
    const signer = await importWalletSigner(secretKey);
    const message = new TextEncoder().encode("message");
    expect(signer.publicKey).toBe(base58.deserialize(publicBytes)[0]);
    expect(ed25519.verify(await signer.signMessage(message), message, publicBytes)).toBe(true);
    expect(JSON.stringify(signer)).toBe(JSON.stringify({ publicKey: signer.publicKey }));
  });

  it("imports its key so that it can never be exported", async () => {
    const imported: CryptoKey[] = [];
    const importKey = crypto.subtle.importKey.bind(crypto.subtle);
    const spied: typeof importKey = async (...parameters) => {
      const key = await importKey(...parameters);
      if (key.type === "private") imported.push(key);
      return key;
    };
    crypto.subtle.importKey = spied;
    try {
      await importWalletSigner(makeWallet().secretKey);
    } finally {
      crypto.subtle.importKey = importKey;
    }
    expect(imported.map(({ extractable, usages }) => ({ extractable, usages: [...usages] }))).toEqual([
      { extractable: false, usages: ["sign"] },
    ]);
  });

  it("refuses a malformed key by the variable's name, never showing its value", async () => {
    const { secretKey } = makeWallet();
    const halves = base58.serialize(secretKey);
    halves.set(base58.serialize(address()), 32);
    for (const wrong of ["", "0OIl", secretKey.slice(2), base58.deserialize(halves)[0]]) {
      const error = await importWalletSigner(wrong).catch((thrown: unknown) => thrown);
      expect(String(error)).toContain("SOLANA_WALLET_PRIVATE_KEY");
      if (wrong !== "") expect(String(error)).not.toContain(wrong);
    }
  });

  it("is asked for moves and burns by the floor and the nodes that are configured now", async () => {
    const { secretKey, publicBytes } = makeWallet();
    const treeAddress = base58.deserialize(publicBytes)[0];
    const config = { rpcUrl: "http://chain.test", walletSecretKey: secretKey, treeAddress, payerFloorLamports: 1 };
    const assets = await loadAssetChain(config);
    expect(await loadAssetChain({ ...config })).toBe(assets);
    expect(await loadAssetChain({ ...config, payerFloorLamports: 2 })).not.toBe(assets);
  });

  it("builds and signs a mint without web3.js and without a Node API", async () => {
    const { secretKey, publicBytes } = makeWallet();
    const answers: Readonly<Record<string, unknown>> = {
      getLatestBlockhash: { value: { blockhash: address(), lastValidBlockHeight: 150 } },
      getRecentPrioritizationFees: [{ slot: 1, prioritizationFee: 7 }],
    };
    const fetcher: typeof fetch = async (_input, init) => {
      const { method } = (await new Request("http://chain.test", init).json()) as { method: string };
      return Response.json({ jsonrpc: "2.0", id: 1, result: answers[method] });
    };
    const config = { rpcUrl: "http://chain.test", walletSecretKey: secretKey, treeAddress: address(), fetcher };
    const minter = await loadMinter(config);
    expect(await loadMinter(config)).toBe(minter);
    const ticket = { ticketId: "t", ownerAddress: null, name: "Ticket", uri: "https://t.example/nft/1" };
    const { signed } = await minter.signMints({
      treeAddress: address(),
      collectionAddress: address(),
      attempts: 0,
      tickets: [ticket],
    });
    if (signed === null) throw new Error("nothing was signed");
    const wire = base64.serialize(signed.wireBase64);
    expect(wire[0]).toBe(1);
    expect(base58.deserialize(wire.slice(1, 65))[0]).toBe(signed.signature);
    expect(ed25519.verify(wire.slice(1, 65), wire.slice(65), publicBytes)).toBe(true);
    expect(signed.lastValidBlockHeight).toBe(150);
  });

  it("signs ten mints in version 1 once the node has simulated the first, its signature at the end", async () => {
    const { secretKey, publicBytes } = makeWallet();
    const asked: string[] = [];
    const answers: Readonly<Record<string, unknown>> = {
      getLatestBlockhash: { value: { blockhash: address(), lastValidBlockHeight: 150 } },
      getRecentPrioritizationFees: [],
      simulateTransaction: { value: { err: { InstructionError: [0, "Custom"] } } },
    };
    const fetcher: typeof fetch = async (_input, init) => {
      const { method } = (await new Request("http://chain.test", init).json()) as { method: string };
      asked.push(method);
      return Response.json({ jsonrpc: "2.0", id: 1, result: answers[method] });
    };
    const config = { rpcUrl: "http://chain.test", walletSecretKey: secretKey, treeAddress: address(), fetcher };
    const minter = await loadMinter({ ...config, transactionVersion: 1 });
    const tickets = Array.from({ length: 12 }, (_, at) => ({
      ticketId: `t${at}`,
      ownerAddress: null,
      name: "n".repeat(32),
      uri: `https://tickets.example.com/nft/${crypto.randomUUID()}`,
    }));
    const batch = { treeAddress: address(), collectionAddress: address(), attempts: 0, tickets };
    const { signed, ticketIds } = await minter.signMints(batch);
    await minter.signMints(batch);
    expect(ticketIds).toEqual(tickets.slice(0, 10).map(({ ticketId }) => ticketId));
    const wire = base64.serialize(signed?.wireBase64 ?? "");
    expect(wire[0]).toBe(0x81);
    expect(wire.length).toBeLessThanOrEqual(4_096);
    const [message, signature] = [wire.slice(0, -64), wire.slice(-64)];
    expect(base58.deserialize(signature)[0]).toBe(signed?.signature);
    expect(ed25519.verify(signature, message, publicBytes)).toBe(true);
    expect(asked.filter((method) => method === "simulateTransaction").length).toBe(1);
    const again = await minter.signMints({ ...batch, attempts: 1 });
    expect([base64.serialize(again.signed?.wireBase64 ?? "")[0], again.ticketIds.length]).toEqual([1, 2]);
  });

  it("names the tree's variable when its address is malformed", async () => {
    const config = { rpcUrl: "http://chain.test", walletSecretKey: makeWallet().secretKey, treeAddress: "nowhere" };
    await expect(loadMinter(config)).rejects.toThrow("SOLANA_TREE");
  });
});
