import { refuse, succeed, type Result } from "./result.ts";

/** Bitcoin's alphabet, which Solana uses. */
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Bytes as base58. For addresses and hashes: the time it takes grows with the square of the length. */
export function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = [];
  for (const byte of bytes) {
    let carry = byte;
    for (let at = 0; at < digits.length; at += 1) {
      carry += (digits[at] ?? 0) << 8;
      digits[at] = carry % 58;
      carry = Math.floor(carry / 58);
    }
    for (; carry > 0; carry = Math.floor(carry / 58)) digits.push(carry % 58);
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  const leading = ALPHABET.charAt(0).repeat(zeros < 0 ? bytes.length : zeros);
  return leading + digits.toReversed().reduce((text, digit) => text + ALPHABET.charAt(digit), "");
}

/** @returns the bytes, or `malformed` for a character that is not of the alphabet. */
export function decodeBase58(text: string): Result<Uint8Array, "malformed"> {
  const bytes: number[] = [];
  for (const character of text) {
    let carry = ALPHABET.indexOf(character);
    if (carry < 0) return refuse("malformed");
    for (let at = 0; at < bytes.length; at += 1) {
      carry += (bytes[at] ?? 0) * 58;
      bytes[at] = carry & 0xff;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 0xff);
  }
  const zeros = /^1*/.exec(text)?.[0].length ?? 0;
  return succeed(Uint8Array.from([...Array.from({ length: zeros }, () => 0), ...bytes.toReversed()]));
}
