import {
  compileTransactionMessage,
  decompileTransactionMessage,
  getCompiledTransactionMessageDecoder,
  getCompiledTransactionMessageEncoder,
  getTransactionDecoder,
  getTransactionEncoder,
  isSignerRole,
  isWritableRole,
} from "@solana/kit";
import { AddressLookupTableAccount, PublicKey, TransactionMessage, VersionedTransaction } from "@solana/web3.js";
import { mintV2 } from "@metaplex-foundation/mpl-bubblegum";
import { setComputeUnitLimit } from "@metaplex-foundation/mpl-toolbox";
import {
  lamports,
  publicKey,
  transactionBuilder,
  type AddressLookupTableInput,
  type Instruction,
  type Umi,
} from "@metaplex-foundation/umi";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { describe, expect, it } from "vitest";
import { createLeanUmi } from "#chain/lean-umi";
import { listTableAddresses } from "#chain/lookup-table";
import { createRpcClient } from "#chain/rpc-client";
import { importWalletSigner } from "#chain/wallet-signer";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";

const newAddress = () => publicKey(generateSolanaAddress());

async function openUmi(): Promise<Umi> {
  return createLeanUmi(createRpcClient("http://nobody.invalid"), await importWalletSigner(generateSolanaWallet()));
}

function buildMint(umi: Umi, tree = newAddress()) {
  const collection = newAddress();
  const mint = mintV2(umi, {
    merkleTree: tree,
    coreCollection: collection,
    leafOwner: newAddress(),
    metadata: { name: "Ticket", uri: "https://tickets.test/nft/1", sellerFeeBasisPoints: 0, creators: [], collection },
  });
  return setComputeUnitLimit(umi, { units: 130_000 }).add(mint);
}

/** A signed mint, as its wire bytes. */
async function signMint(): Promise<{ wire: Uint8Array; wallet: string }> {
  const umi = await openUmi();
  const signed = await buildMint(umi).setBlockhash(generateSolanaAddress()).buildAndSign(umi);
  return { wire: umi.transactions.serialize(signed), wallet: umi.identity.publicKey };
}

/** Signs a mint that may use these tables, and has @solana/web3.js read it with what the tables hold. */
async function readBack(umi: Umi, tree: string, tables: readonly AddressLookupTableInput[]) {
  const work = buildMint(umi, publicKey(tree))
    .setAddressLookupTables([...tables])
    .setBlockhash(generateSolanaAddress());
  const wire = umi.transactions.serialize(await work.buildAndSign(umi));
  const { message } = VersionedTransaction.deserialize(wire);
  const addressLookupTableAccounts = tables.map(
    ({ publicKey: key, addresses }) =>
      new AddressLookupTableAccount({
        key: new PublicKey(key),
        state: {
          deactivationSlot: 2n ** 64n - 1n,
          lastExtendedSlot: 1,
          lastExtendedSlotStartIndex: 0,
          addresses: addresses.map((address) => new PublicKey(address)),
        },
      }),
  );
  const read = TransactionMessage.decompile(message, { addressLookupTableAccounts });
  const instructions = read.instructions.map(({ programId, keys, data }) => ({
    programId: programId.toBase58(),
    keys: keys.map(({ pubkey, isSigner, isWritable }) => ({ pubkey: pubkey.toBase58(), isSigner, isWritable })),
    data: [...data],
  }));
  return { wire, message, instructions, built: describeBuilt(work.getInstructions(), umi) };
}

/** A message gives an account one set of rights for all its instructions: here those of the payer, who signs and is written to. */
function describeBuilt(instructions: readonly Instruction[], umi: Umi) {
  return instructions.map(({ programId, keys, data }) => ({
    programId,
    keys: keys.map(({ pubkey, isSigner, isWritable }) => ({
      pubkey,
      isSigner: isSigner || pubkey === umi.identity.publicKey,
      isWritable: isWritable || pubkey === umi.identity.publicKey,
    })),
    data: [...data],
  }));
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

describe("the transactions that we compile with address lookup tables", () => {
  it("mean the same accounts with the same rights to @solana/web3.js, and are 183 bytes shorter", async () => {
    const umi = await openUmi();
    const tree = generateSolanaAddress();
    const plain = await readBack(umi, tree, []);
    const looked = await readBack(umi, tree, [{ publicKey: newAddress(), addresses: listTableAddresses(umi, tree) }]);
    expect(plain.instructions).toEqual(plain.built);
    expect(looked.instructions).toEqual(looked.built);
    expect(plain.wire.length - looked.wire.length).toBe(7 * 31 - 34);
    expect(looked.message.addressTableLookups.length).toBe(1);
  });

  it("find each account wherever a table holds it, whatever else is in there", async () => {
    const umi = await openUmi();
    const tree = generateSolanaAddress();
    const addresses = listTableAddresses(umi, tree).toReversed();
    const mixed = [
      newAddress(),
      ...addresses.slice(0, 3),
      newAddress(),
      umi.identity.publicKey,
      ...addresses.slice(3),
      newAddress(),
    ];
    const { instructions, built } = await readBack(umi, tree, [{ publicKey: newAddress(), addresses: mixed }]);
    expect(instructions).toEqual(built);
  });

  it("take an account from the first of several tables, writable ones of all tables before the others", async () => {
    const umi = await openUmi();
    const tree = generateSolanaAddress();
    const addresses = listTableAddresses(umi, tree);
    const tables = [addresses.slice(3), addresses.slice(0, 5)].map((part) => ({ publicKey: newAddress(), addresses: part }));
    const { instructions, built, message } = await readBack(umi, tree, tables);
    expect(instructions).toEqual(built);
    expect(message.addressTableLookups.map((lookup) => lookup.writableIndexes.length + lookup.readonlyIndexes.length)).toEqual([
      4, 3,
    ]);
  });

  it("leave out a table that would make them longer, and never look up who signs or which program is called", async () => {
    const umi = await openUmi();
    const tree = generateSolanaAddress();
    const [first = newAddress()] = listTableAddresses(umi, tree);
    const called = publicKey("BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY");
    const table = { publicKey: newAddress(), addresses: [first, umi.identity.publicKey, called] };
    const { message, instructions, built } = await readBack(umi, tree, [table]);
    expect(message.addressTableLookups).toEqual([]);
    expect(instructions).toEqual(built);
  });
});

describe("the transactions of version 1 that we compile", () => {
  /** Ten signed mints with a budget, as wire bytes. */
  async function signTen(umi: Umi) {
    const tree = newAddress();
    const mints = Array.from({ length: 10 }, () => buildMint(umi, tree).items.slice(1));
    const work = transactionBuilder(mints.flat())
      .useV1()
      .setTransactionConfig({ computeUnitLimit: 1_030_000, priorityFee: lamports(777) });
    const wire = umi.transactions.serialize(await work.setBlockhash(generateSolanaAddress()).buildAndSign(umi));
    return { wire, instructions: work.getInstructions() };
  }

  it("mean the same to @solana/kit: programs, accounts and their rights, data, budget and lifetime", async () => {
    const umi = await openUmi();
    const { wire, instructions } = await signTen(umi);
    const read = getCompiledTransactionMessageDecoder().decode(getTransactionDecoder().decode(wire).messageBytes);
    const message = decompileTransactionMessage(read);
    if (message.version !== 1) throw new Error("another version was read");
    expect(message.config).toMatchObject({ computeUnitLimit: 1_030_000, priorityFeeLamports: 777n });
    expect(message.feePayer.address).toBe(umi.identity.publicKey);
    const theirs = message.instructions.map(({ programAddress, accounts = [], data = new Uint8Array() }) => ({
      programId: programAddress,
      keys: accounts.map(({ address, role }) => {
        return { pubkey: address, isSigner: isSignerRole(role), isWritable: isWritableRole(role) };
      }),
      data: [...data],
    }));
    const collections = new Set(
      instructions.flatMap(({ keys }) => keys.filter((key) => key.isWritable).map(({ pubkey }) => pubkey)),
    );
    expect(collections.size).toBeGreaterThan(10);
    expect(theirs).toEqual(describeBuilt(instructions, umi));
  });

  it("are the bytes that @solana/kit makes of what it has read, the signature among them", async () => {
    const umi = await openUmi();
    const { wire } = await signTen(umi);
    const transaction = getTransactionDecoder().decode(wire);
    expect(Buffer.from(getTransactionEncoder().encode(transaction))).toEqual(Buffer.from(wire));
    const read = getCompiledTransactionMessageDecoder().decode(transaction.messageBytes);
    expect(Buffer.from(getCompiledTransactionMessageEncoder().encode(read))).toEqual(Buffer.from(transaction.messageBytes));
    const again = compileTransactionMessage(decompileTransactionMessage(read));
    expect({ ...again, staticAccounts: [...again.staticAccounts].toSorted() }).toMatchObject({
      version: 1,
      header: read.header,
      staticAccounts: [...read.staticAccounts].toSorted(),
    });
    expect(Object.keys(transaction.signatures)).toEqual([umi.identity.publicKey]);
  });
});
