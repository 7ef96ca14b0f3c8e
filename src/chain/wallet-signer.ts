import { publicKey, type Signer, type Transaction } from "@metaplex-foundation/umi";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { importSeed, SEED_BYTES } from "#platform/ed25519-seed";

const SECRET_KEY_BYTES = 64;

const MALFORMED = "must be the base58 form of a 64-byte Solana secret key";

/**
 * Imports the minting wallet as a WebCrypto key that can sign but never be read again, so no later bug can print it.
 *
 * | bytes | content |
 * |---|---|
 * | 0–31 | Ed25519 seed |
 * | 32–63 | public key, which is the wallet's address |
 *
 * @param secretKeyBase58 those 64 bytes in base58, as Solana's tools export them.
 * @param variable what the key is called where it comes from, for the error.
 * @throws Error naming the variable, never its value, when the text is no such key or its two halves don't belong together.
 */
export async function importWalletSigner(secretKeyBase58: string, variable = "SOLANA_WALLET_PRIVATE_KEY"): Promise<Signer> {
  const secretKey = decodeSecretKey(secretKeyBase58, variable);
  const publicBytes = secretKey.slice(SEED_BYTES);
  const privateKey = await importSeed(secretKey.subarray(0, SEED_BYTES));
  secretKey.fill(0);

  const signMessage = async (message: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, new Uint8Array(message)));
  await assertHalvesMatch(signMessage, publicBytes, variable);

  const address = publicKey(publicBytes);
  const signTransaction = async (transaction: Transaction): Promise<Transaction> => {
    const position = transaction.message.accounts.indexOf(address);
    if (position < 0 || position >= transaction.signatures.length)
      throw new Error("the wallet is no signer of this transaction");
    const signature = await signMessage(transaction.serializedMessage);
    return { ...transaction, signatures: transaction.signatures.with(position, signature) };
  };
  return {
    publicKey: address,
    signMessage,
    signTransaction,
    signAllTransactions: (transactions) => Promise.all(transactions.map(signTransaction)),
  };
}

function decodeSecretKey(text: string, variable: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base58.serialize(text);
  } catch {
    throw new Error(`${variable} ${MALFORMED}`);
  }
  if (bytes.length !== SECRET_KEY_BYTES) throw new Error(`${variable} ${MALFORMED}`);
  return bytes;
}

/** A wrong public half would make an address that nobody can sign for; better to stop at once than to mint into it. */
async function assertHalvesMatch(
  signMessage: (message: Uint8Array) => Promise<Uint8Array>,
  publicBytes: Uint8Array,
  variable: string,
): Promise<void> {
  const probe = new TextEncoder().encode("the two halves belong together");
  const key = await crypto.subtle.importKey("raw", new Uint8Array(publicBytes), "Ed25519", false, ["verify"]);
  const matches = await crypto.subtle.verify("Ed25519", key, new Uint8Array(await signMessage(probe)), probe);
  if (!matches) throw new Error(`${variable} ${MALFORMED}`);
}
