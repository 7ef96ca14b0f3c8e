const GROUPS = 8;
/** Groups of 16 bits of an IPv6 address that name its network. */
const NETWORK_GROUPS = 4;

/**
 * Whom an address counts against: an IPv4 address itself, of an IPv6 address its first 64 bits. The other 64 are the customer's own
 * (RFC 4291, section 2.5.4): whoever took a new address for each request would keep within every limit.
 * @param address as Cloudflare writes it.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  // An IPv4 address in the form of IPv6 (RFC 4291, section 2.5.5.2).
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, GROUPS - head.length - tail.length) }, () => "0");
  const network = [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
