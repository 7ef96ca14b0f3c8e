import { VersionedTransaction } from "@solana/web3.js";
import { mintV2 } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { describe, expect, it } from "vitest";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient } from "#chain/rpc-client";
import { importWalletSigner } from "#chain/wallet-signer";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";

/** A signed mint, as its wire bytes. */
async function signMint(): Promise<{ wire: Uint8Array; wallet: string }> {
  const wallet = await importWalletSigner(generateSolanaWallet());
  const umi = createLeanUmi(createRpcClient("http://nobody.invalid"), wallet);
  const mint = mintV2(umi, {
    merkleTree: publicKey(generateSolanaAddress()),
    leafOwner: publicKey(generateSolanaAddress()),
    metadata: { name: "Ticket", uri: "https://tickets.test/nft/1", sellerFeeBasisPoints: 0, creators: [], collection: null },
  });
  const signed = await mint.setBlockhash(generateSolanaAddress()).buildAndSign(umi);
  return { wire: umi.transactions.serialize(signed), wallet: wallet.publicKey };
}

describe("the transactions we compile ourselves", () => {
  it("read the same in @solana/web3.js: every byte, the payer first, the signature its", async () => {
    const { wire, wallet } = await signMint();
    const theirs = VersionedTransaction.deserialize(wire);
    expect(Buffer.from(theirs.serialize())).toEqual(Buffer.from(wire));
    expect(theirs.message.staticAccountKeys[0]?.toBase58()).toBe(wallet);
    expect(theirs.message.isAccountSigner(0)).toBe(true);
    expect(theirs.message.isAccountWritable(0)).toBe(true);
    expect(base58.deserialize(theirs.signatures[0] ?? new Uint8Array())[0]).not.toMatch(/^1+$/);
  });

  it("fail to read there when a byte of the header is wrong, so that this comparison can fail", async () => {
    const { wire } = await signMint();
    const broken = wire.slice();
    const header = 1 + 64 + 1;
    broken[header] = (broken[header] ?? 0) + 1;
    expect(() => VersionedTransaction.deserialize(broken)).toThrow();
  });
});
