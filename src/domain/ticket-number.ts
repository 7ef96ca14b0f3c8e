/** Crockford's base 32: no I, L, O or U, so nobody reads one letter for another. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS_A_LETTER = 5;
const LETTER_COUNT = 8;

/**
 * The number by which people tell one ticket from another, such as `7QK2-M4XN`: the last 40 bits of its id. Two tickets of one
 * event of 10,000 share a number once in some 20,000 events; nothing but eyes relies on it. It tells neither the place in the
 * order of sales nor how many were sold.
 */
export function formatTicketNumber(ticketId: string): string {
  let bits = BigInt(`0x${ticketId.replaceAll("-", "").slice(-(LETTER_COUNT * BITS_A_LETTER) / 4)}`);
  let letters = "";
  for (let place = 0; place < LETTER_COUNT; place += 1) {
    letters = `${LETTERS.charAt(Number(bits % 32n))}${letters}`;
    bits /= 32n;
  }
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}
