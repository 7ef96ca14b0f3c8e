/** Metaplex refuses longer names (MetadataNameTooLong). */
const MAX_NAME_BYTES = 32;

/** `text` cut at a character boundary so that its UTF-8 form has at most 32 bytes; the cut is shown by an ellipsis. */
export function fitOnChainName(text: string): string {
  if (countUtf8Bytes(text) <= MAX_NAME_BYTES) return text;
  const ellipsis = "…";
  let kept = "";
  for (const character of text) {
    if (countUtf8Bytes(kept + character + ellipsis) > MAX_NAME_BYTES) break;
    kept += character;
  }
  return `${kept.trimEnd()}${ellipsis}`;
}

function countUtf8Bytes(text: string): number {
  let count = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (codePoint < 0x80) count += 1;
    else if (codePoint < 0x800) count += 2;
    else if (codePoint < 0x10000) count += 3;
    else count += 4;
  }
  return count;
}
