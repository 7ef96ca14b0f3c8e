import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/abstract/utils";
import { ed25519 } from "@noble/curves/ed25519";
import { sha512 } from "@noble/hashes/sha2";
import { concatBytes } from "@noble/hashes/utils";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assembleCredential,
  CREDENTIAL_TEXT_LENGTH,
  credentialExpiresAtMs,
  decodeCredential,
  encodeSignedBytes,
  isCredentialCurrent,
  type Credential,
} from "#domain/credential";
import { decodeBase64Url, encodeBase64Url } from "#domain/base64url";
import { importSigningKeys, signBytes, verifyBytes, type SigningKeys } from "#platform/signing-keys";

const credentials: fc.Arbitrary<Credential> = fc.record({
  keyId: fc.integer({ min: 1, max: 255 }),
  ticketId: fc.uuid(),
  eventId: fc.uuid(),
  ticketTypeNumber: fc.integer({ min: 0, max: 65_535 }),
  credentialEpoch: fc.integer({ min: 0, max: 65_535 }),
  issuedAtSeconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

function newSeed(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

async function signCredential(keys: SigningKeys, facts: Omit<Credential, "keyId">): Promise<string> {
  const bytes = encodeSignedBytes({ ...facts, keyId: keys.newest.keyId });
  return assembleCredential(bytes, await signBytes(keys, bytes));
}

/** True when the text reads as a credential and its signature is right: what the door asks first. */
async function isGenuine(keys: SigningKeys, text: string): Promise<boolean> {
  const decoded = decodeCredential(text);
  if (!decoded.ok) return false;
  const { credential, signature, signedBytes } = decoded.value;
  return verifyBytes(keys, credential.keyId, signature, signedBytes);
}

/** An Ed25519 signature made with a nonce of one's own, as no signer that keeps to RFC 8032 would make it; it verifies all the same. */
function signWithNonce(seed: Uint8Array, bytes: Uint8Array, nonce: bigint): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const commitment = ed25519.Point.BASE.multiply(nonce).toBytes();
  const challenge = bytesToNumberLE(sha512(concatBytes(commitment, pointBytes, bytes)));
  const proof = ed25519.Point.Fn.create(nonce + challenge * scalar);
  return concatBytes(commitment, numberToBytesLE(proof, 32));
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const FACTS = {
  ticketId: "0192f0c4-7e7b-8abc-9def-0123456789ab",
  eventId: "0192f0c4-7e7b-8abc-8def-ba9876543210",
  ticketTypeNumber: 513,
  credentialEpoch: 7,
  issuedAtSeconds: 1_767_225_600,
};

describe("what a credential says", () => {
  it("comes back as it was issued, whatever it says", () => {
    fc.assert(
      fc.property(credentials, fc.uint8Array({ minLength: 64, maxLength: 64 }), (credential, signature) => {
        const text = assembleCredential(encodeSignedBytes(credential), signature);
        expect(text).toHaveLength(CREDENTIAL_TEXT_LENGTH);
        const decoded = decodeCredential(text);
        if (!decoded.ok) throw new Error("a credential of ours was not read");
        expect(decoded.value.credential).toEqual(credential);
        expect(decoded.value.signedBytes).toEqual(encodeSignedBytes(credential));
        expect(decoded.value.signature).toEqual(signature);
      }),
    );
  });

  it("keeps its place in the bytes, so that codes issued before a deployment are read after it", () => {
    const bytes = encodeSignedBytes({ ...FACTS, keyId: 9 }).slice(-43);
    const fields = [
      "0109",
      "0192f0c47e7b8abc9def0123456789ab",
      "0192f0c47e7b8abc8defba9876543210",
      "0201",
      "0007",
      "6955b900",
      "00",
    ];
    expect(Buffer.from(bytes).toString("hex")).toBe(fields.join(""));
  });

  it.each<Partial<Credential>>([
    ...[-1, 1.5, Number.NaN, 256].map((keyId) => ({ keyId })),
    ...[-1, 65_536].flatMap((number) => [{ ticketTypeNumber: number }, { credentialEpoch: number }]),
    { issuedAtSeconds: 2 ** 32 },
    { ticketId: FACTS.ticketId.toUpperCase() },
    { eventId: "0192f0c4" },
  ])("is never cut down to what fits, which would be another ticket's or an old owner's: %j", (change) => {
    expect(() => encodeSignedBytes({ ...FACTS, keyId: 1, ...change })).toThrow("broken invariant");
  });

  it("is not put together with a signature of another length", () => {
    const bytes = encodeSignedBytes({ ...FACTS, keyId: 1 });
    for (const length of [0, 63, 65]) expect(() => assembleCredential(bytes, new Uint8Array(length))).toThrow("64 bytes");
  });

  it("is never an error, whatever text a camera reads", () => {
    const base64urlTexts = fc.uint8Array({ minLength: 107, maxLength: 107 }).map((bytes) => encodeBase64Url(bytes));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), base64urlTexts), (text) => {
        expect(typeof decodeCredential(text).ok).toBe("boolean");
      }),
    );
  });

  it("refuses a flag it does not know and another version", () => {
    const signature = new Uint8Array(64);
    for (const [offset, value] of [
      [0, 2],
      [42, 1],
    ] as const) {
      const bytes = encodeSignedBytes({ ...FACTS, keyId: 1 });
      bytes[bytes.length - 43 + offset] = value;
      expect(decodeCredential(assembleCredential(bytes, signature)).ok).toBe(false);
    }
  });
});

describe("base64url", () => {
  it("has exactly one text for each byte string", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: fc.constantFrom(..."ABCabc019-_=+/ ") }), (text) => {
        const decoded = decodeBase64Url(text);
        if (decoded.ok) expect(encodeBase64Url(decoded.value)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it("agrees with Node's own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBase64Url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64url"));
        expect(decodeBase64Url(text)).toEqual({ ok: true, value: bytes });
      }),
    );
  });
});

describe("the signature", () => {
  it("refuses a code with any one bit flipped", async () => {
    const keys = await importSigningKeys([{ keyId: 1, seed: newSeed() }]);
    const text = await signCredential(keys, FACTS);
    expect(await isGenuine(keys, text)).toBe(true);
    const decoded = decodeBase64Url(text);
    if (!decoded.ok) throw new Error("a credential is base64url");
    for (let bit = 0; bit < decoded.value.length * 8; bit += 1) {
      const forged = decoded.value.slice();
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await isGenuine(keys, encodeBase64Url(forged)), `bit ${bit}`).toBe(false);
    }
  });

  it("refuses a code with any one character changed, the last one's spare bits included", async () => {
    const keys = await importSigningKeys([{ keyId: 1, seed: newSeed() }]);
    const text = await signCredential(keys, FACTS);
    for (let index = 0; index < text.length; index += 1) {
      // The next value of the alphabet: for the last character that sets a bit which a lenient decoder drops.
      const other = ALPHABET.charAt((ALPHABET.indexOf(text.charAt(index)) + 1) % 64);
      const altered = text.slice(0, index) + other + text.slice(index + 1);
      expect(await isGenuine(keys, altered), `character ${index}`).toBe(false);
    }
  });

  it("of another ring's key with the same id is refused", async () => {
    const ours = await importSigningKeys([{ keyId: 1, seed: newSeed() }]);
    const theirs = await importSigningKeys([{ keyId: 1, seed: newSeed() }]);
    expect(await isGenuine(ours, await signCredential(theirs, FACTS))).toBe(false);
  });

  it("of a rotated key stays good until the key leaves the ring", async () => {
    const [oldKey, newKey] = [
      { keyId: 1, seed: newSeed() },
      { keyId: 2, seed: newSeed() },
    ];
    const shown = await signCredential(await importSigningKeys([oldKey]), FACTS);
    const rotated = await importSigningKeys([newKey, oldKey]);
    expect(await isGenuine(rotated, shown)).toBe(true);
    const issuedNow = decodeCredential(await signCredential(rotated, FACTS));
    expect(issuedNow.ok && issuedNow.value.credential.keyId).toBe(2);
    expect(await isGenuine(await importSigningKeys([newKey]), shown)).toBe(false);
  });

  it("is refused when it is cut short, empty or too long", async () => {
    const keys = await importSigningKeys([{ keyId: 1, seed: newSeed() }]);
    const bytes = encodeSignedBytes({ ...FACTS, keyId: 1 });
    const signature = await signBytes(keys, bytes);
    expect(await verifyBytes(keys, 1, signature, bytes)).toBe(true);
    for (const other of [signature.slice(0, 63), new Uint8Array(), Uint8Array.of(...signature, 0)]) {
      expect(await verifyBytes(keys, 1, other, bytes), `${other.length} bytes`).toBe(false);
    }
  });

  it("is good whenever it verifies, also when this service would have made another", async () => {
    const seed = newSeed();
    const keys = await importSigningKeys([{ keyId: 1, seed }]);
    const bytes = encodeSignedBytes({ ...FACTS, keyId: 1 });
    const signature = signWithNonce(seed, bytes, 4_711n);
    expect(signature).not.toEqual(await signBytes(keys, bytes));
    expect(await verifyBytes(keys, 1, signature, bytes)).toBe(true);
    expect(await verifyBytes(keys, 1, signature, encodeSignedBytes({ ...FACTS, keyId: 1, credentialEpoch: 8 }))).toBe(false);
  });

  it("is never ambiguous: a ring with one id for two keys is refused", async () => {
    await expect(
      importSigningKeys([
        { keyId: 1, seed: newSeed() },
        { keyId: 1, seed: newSeed() },
      ]),
    ).rejects.toThrow("own id");
  });

  it("is made with a key that nobody can read out again", async () => {
    const keys = await importSigningKeys([{ keyId: 1, seed: newSeed() }]);
    expect(keys.newest.privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("jwk", keys.newest.privateKey)).rejects.toThrow();
  });

  it("matches the published test vector of RFC 8032, so that other tools can verify it", async () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    const keys = await importSigningKeys([{ keyId: 1, seed }]);
    expect(Buffer.from(await signBytes(keys, new Uint8Array())).toString("hex")).toBe(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
  });
});

describe("the time of a credential", () => {
  const issuedAtSeconds = FACTS.issuedAtSeconds;
  const issuedAtMs = issuedAtSeconds * 1000;

  it("ends 30 seconds after it was issued, to the millisecond", () => {
    expect(credentialExpiresAtMs(issuedAtSeconds)).toBe(issuedAtMs + 30_000);
    expect(isCredentialCurrent(issuedAtSeconds, issuedAtMs + 29_999)).toBe(true);
    expect(isCredentialCurrent(issuedAtSeconds, issuedAtMs + 30_000)).toBe(false);
  });

  it("forgives an issuer's clock 5 seconds ahead, and no more", () => {
    expect(isCredentialCurrent(issuedAtSeconds, issuedAtMs - 5_000)).toBe(true);
    expect(isCredentialCurrent(issuedAtSeconds, issuedAtMs - 5_001)).toBe(false);
  });
});
