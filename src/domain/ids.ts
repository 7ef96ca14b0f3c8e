import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";

/** Number of a desk: 24 bits of a hash of the tenant, then 8 bits that spread a tenant's buyers. */
export type DeskNumber = number;

const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID of any version (RFC 9562). */
export function isUuid(text: string): boolean {
  return UUID_PATTERN.test(text);
}

const encoder = new TextEncoder();

/**
 * The parts joined so that no two different lists give the same bytes (each part is preceded by its length).
 */
function joinUnambiguously(parts: readonly string[]): Uint8Array {
  return encoder.encode(parts.map((part) => `${part.length}:${part}`).join(""));
}

/** SHA-256 over the unambiguously joined parts, as 64 hex digits. Used to compare request bodies without keeping them. */
export function hashParts(parts: readonly string[]): string {
  return bytesToHex(sha256(joinUnambiguously(parts)));
}

/**
 * The desk that serves a buyer. Desks of one tenant share the first 24 bits; two tenants that collide there share objects
 * but never rows, because every row carries its tenant.
 * @param desksPerTenant 1 to 256. A change moves buyers to other desks: replays of keys older than the change are not recognised.
 */
export function deskNumberFor(tenantId: string, userId: string, desksPerTenant: number): DeskNumber {
  return tenantBitsOf(tenantId) * 256 + (spreadBits(userId) % desksPerTenant);
}

/** Tenants whose bits are remembered: a hash for each request would be for the same few tenants over and over. */
const TENANTS_REMEMBERED = 1_000;
const tenantBits = new Map<string, number>();

function tenantBitsOf(tenantId: string): number {
  const known = tenantBits.get(tenantId);
  if (known !== undefined) return known;
  if (tenantBits.size >= TENANTS_REMEMBERED) tenantBits.clear();
  const bits = Number.parseInt(hashParts(["desk", tenantId]).slice(0, 6), 16);
  tenantBits.set(tenantId, bits);
  return bits;
}

/** 32 bits that spread texts evenly: FNV-1a, then the finalizer of MurmurHash3. It only shares work out, it guards nothing. */
function spreadBits(text: string): number {
  let bits = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * True when the desk that an id names is one of the tenant's. Ask before calling a desk for an id that a caller sent: a made-up
 * id would otherwise bring a Durable Object into being that belongs to nobody.
 */
export function isDeskOfTenant(desk: DeskNumber, tenantId: string): boolean {
  return Math.floor(desk / 256) === tenantBitsOf(tenantId);
}

/** Every desk that may serve the tenant's buyers. */
export function deskNumbersOfTenant(tenantId: string, desksPerTenant: number): readonly DeskNumber[] {
  const first = tenantBitsOf(tenantId) * 256;
  return Array.from({ length: desksPerTenant }, (_, spread) => first + spread);
}

/** Name of the desk's Durable Object. */
export function deskName(desk: DeskNumber): string {
  return `desk-${desk.toString(16).padStart(8, "0")}`;
}

/** The desk whose number an order, reservation or ticket id carries in its first 32 bits. */
export function deskNumberOf(id: string): DeskNumber {
  return Number.parseInt(id.slice(0, 8), 16);
}

/**
 * A UUID version 8 (RFC 9562, section 5.8) that anyone can derive again from the same facts.
 *
 * | bits | content |
 * |---|---|
 * | 0–31 | desk number, so that an id alone says which object holds the truth |
 * | 32–47, 52–63, 66–127 | SHA-256 of the parts |
 * | 48–51, 64–65 | version 8, variant 10 |
 */
export function deriveId(desk: DeskNumber, parts: readonly string[]): string {
  const hash = hashParts(parts);
  const variant = ((Number.parseInt(hash.slice(7, 8), 16) & 0x3) | 0x8).toString(16);
  const head = desk.toString(16).padStart(8, "0");
  return `${head}-${hash.slice(0, 4)}-8${hash.slice(4, 7)}-${variant}${hash.slice(8, 11)}-${hash.slice(11, 23)}`;
}

/** How many characters an id made by {@link deriveIdWithin} shares with its parent: 32 bits of desk and 28 of hash. */
const SHARED_PREFIX_LENGTH = "dddddddd-hhhh-8hhh".length;

/**
 * An id derived from its parent's that begins like it, so that who holds the parent finds it by the child's id alone
 * (a ticket's order, a hold's order) and keeps no row for the child. 62 bits tell the children of one parent apart.
 */
export function deriveIdWithin(parentId: string, parts: readonly string[]): string {
  const own = deriveId(deskNumberOf(parentId), [parentId, ...parts]);
  return parentId.slice(0, SHARED_PREFIX_LENGTH) + own.slice(SHARED_PREFIX_LENGTH);
}

/** The beginning that a parent shares with every id derived within it. */
export function sharedPrefixOf(id: string): string {
  return id.slice(0, SHARED_PREFIX_LENGTH);
}
