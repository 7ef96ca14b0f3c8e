import { refuse, succeed, type Result } from "./result.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Value of each ASCII character, 255 for those outside the alphabet. */
const VALUES = new Uint8Array(128).fill(255);
for (let value = 0; value < ALPHABET.length; value += 1) VALUES[ALPHABET.charCodeAt(value)] = value;

/** Bytes as base64url without padding (RFC 4648, section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    bitCount += 8;
    while (bitCount >= 6) {
      bitCount -= 6;
      text += ALPHABET.charAt((bits >> bitCount) & 63);
    }
  }
  return bitCount === 0 ? text : text + ALPHABET.charAt((bits << (6 - bitCount)) & 63);
}

/**
 * Reads base64url without padding. Strict: each byte string has exactly one text, so a foreign character, padding, white
 * space, an impossible length or a spare bit that is set is refused. Lenient decoders would let a signed text be altered
 * without its signature noticing.
 */
export function decodeBase64Url(text: string): Result<Uint8Array<ArrayBuffer>, { readonly code: "malformed_base64url" }> {
  if (text.length % 4 === 1) return refuse({ code: "malformed_base64url" });
  const bytes = new Uint8Array((text.length * 3) >> 2);
  let bits = 0;
  let bitCount = 0;
  let position = 0;
  for (let index = 0; index < text.length; index += 1) {
    const value = VALUES[text.charCodeAt(index)] ?? 255;
    if (value === 255) return refuse({ code: "malformed_base64url" });
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[position] = bits >> bitCount;
    position += 1;
  }
  const spareBits = bits & ((1 << bitCount) - 1);
  return spareBits === 0 ? succeed(bytes) : refuse({ code: "malformed_base64url" });
}
