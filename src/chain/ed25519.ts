import {
  publicKey,
  publicKeyBytes,
  type EddsaInterface,
  type Keypair,
  type Pda,
  type PublicKey,
} from "@metaplex-foundation/umi";
import { ed25519 } from "@noble/curves/ed25519";
import { sha256 } from "@noble/hashes/sha2";

const SEED_BYTES = 32;
const SECRET_KEY_BYTES = 64;
const HIGHEST_BUMP = 255;
const PDA_MARKER = new TextEncoder().encode("ProgramDerivedAddress");

/** umi's Ed25519 operations on @noble/curves alone, in place of the web3.js ones (see docs/adr/0006 on bundle size). */
export const ed25519Operations: EddsaInterface = {
  generateKeypair: () => keypairFromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES))),
  createKeypairFromSecretKey: (secretKey) => keypairFromSeed(secretKey.slice(0, SEED_BYTES)),
  createKeypairFromSeed: keypairFromSeed,
  isOnCurve: (key) => isOnCurve(publicKeyBytes(key)),
  findPda,
  sign: (message, keypair) => ed25519.sign(message, keypair.secretKey.slice(0, SEED_BYTES)),
  verify: (message, signature, key) => ed25519.verify(signature, message, publicKeyBytes(key)),
};

function keypairFromSeed(seed: Uint8Array): Keypair {
  const publicBytes = ed25519.getPublicKey(seed);
  const secretKey = new Uint8Array(SECRET_KEY_BYTES);
  secretKey.set(seed);
  secretKey.set(publicBytes, SEED_BYTES);
  return { publicKey: publicKey(publicBytes), secretKey };
}

function isOnCurve(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromHex(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * The program-derived address of `seeds`: the first SHA-256 of seeds, bump, program and marker, with the bump counted down
 * from 255, that is no point of the curve (Solana's `find_program_address`).
 */
function findPda(programId: PublicKey, seeds: Uint8Array[]): Pda {
  for (let bump = HIGHEST_BUMP; bump >= 0; bump -= 1) {
    const hash = sha256.create();
    for (const seed of seeds) hash.update(seed);
    const candidate = hash.update(Uint8Array.of(bump)).update(publicKeyBytes(programId)).update(PDA_MARKER).digest();
    // umi brands the pair; an address off the curve with its bump is what the brand stands for.
    if (!isOnCurve(candidate)) return [publicKey(candidate), bump] as unknown as Pda;
  }
  throw new Error("no program-derived address for these seeds");
}
