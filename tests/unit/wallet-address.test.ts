import { ed25519 } from "@noble/curves/ed25519";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { describe, expect, it } from "vitest";
import { Random } from "#dev/simulate/random";
import { decodeBase58, encodeBase58 } from "#domain/base58";
import { findWalletProblem } from "#domain/wallet-address";

const random = new Random(11);
const randomBytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.between(0, 255));

function isPoint(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromHex(bytes);
    return true;
  } catch {
    return false;
  }
}

describe("a wallet address", () => {
  it("is taken exactly when its 32 bytes are a point of the curve, as a library of the curve judges it", () => {
    let points = 0;
    for (let round = 0; round < 400; round += 1) {
      const bytes = randomBytes(32);
      if (isPoint(bytes)) points += 1;
      expect(findWalletProblem(encodeBase58(bytes)), encodeBase58(bytes)).toBe(isPoint(bytes) ? undefined : "off_curve");
    }
    expect(points).toBeGreaterThan(100);
    expect(points).toBeLessThan(300);
  });

  it("is refused when it is one of the eight points of small order, however it is written", () => {
    const eighth = ed25519.Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    const points = Array.from({ length: 8 }, (_, times) => (times === 0 ? ed25519.Point.ZERO : eighth.multiply(BigInt(times))));
    expect(new Set(points.map((point) => point.toHex())).size).toBe(8);
    const withOtherSign = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === 31 ? byte ^ 0x80 : byte));
    for (const bytes of points.flatMap((point) => [point.toBytes(), withOtherSign(point.toBytes())])) {
      // One of them is the System program's address.
      const expected = bytes.every((byte) => byte === 0) ? "is_program" : "small_order";
      expect(findWalletProblem(encodeBase58(bytes))).toBe(expected);
    }
  });

  it("is taken when it is a public key", () => {
    for (let round = 0; round < 50; round += 1) {
      expect(findWalletProblem(encodeBase58(ed25519.getPublicKey(randomBytes(32))))).toBeUndefined();
    }
  });

  it.each([
    ["empty", "", "wrong_length"],
    ["of 31 bytes", encodeBase58(randomBytes(31).fill(7, 0, 1)), "wrong_length"],
    ["of 33 bytes", encodeBase58(randomBytes(33).fill(7, 0, 1)), "wrong_length"],
    ["with a letter that base58 has not", "0".repeat(40), "not_base58"],
    ["the System program's", "1".repeat(32), "is_program"],
    ["Bubblegum's", "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY", "is_program"],
    ["the token program's, which is a point", "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "is_program"],
    ["a sysvar's, which is a point", "SysvarC1ock11111111111111111111111111111111", "is_program"],
    ["the name of a built-in program", "ComputeBudget111111111111111111111111111111", "is_program"],
    ["the mint of wrapped SOL", "So11111111111111111111111111111111111111112", "is_program"],
    ["the largest number, which is no element of the field", encodeBase58(new Uint8Array(32).fill(0xff)), "off_curve"],
  ])("is refused when it is %s", (_, text, problem) => {
    expect(findWalletProblem(text)).toBe(problem);
  });
});

describe("base58", () => {
  it("writes and reads bytes as a library does, leading zeros included", () => {
    for (let round = 0; round < 200; round += 1) {
      const bytes = randomBytes(random.between(0, 40)).fill(0, 0, random.between(0, 5));
      const [text] = base58.deserialize(bytes);
      expect(encodeBase58(bytes)).toBe(text);
      const decoded = decodeBase58(text);
      expect(decoded.ok && Buffer.compare(decoded.value, bytes)).toBe(0);
    }
  });
});
