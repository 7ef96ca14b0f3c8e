import { openText, sealText, type SealingKeys } from "#platform/sealed-texts";
import type { WebhookEndpointRow } from "#storage/webhook-endpoints";

/** The columns of an endpoint that hold its secrets. Both are sealed with one key. */
export type SealedSecrets = Pick<
  WebhookEndpointRow,
  "sealedSecret" | "previousSealedSecret" | "previousUntilMs" | "sealedWith"
>;

/** An endpoint's secrets, readable. */
export interface OpenSecrets {
  readonly newest: string;
  /** The one before, while it signs too. */
  readonly previous: { readonly secret: string; readonly untilMs: number } | undefined;
}

/** Opens an endpoint's secrets; undefined when the key of its newest one is not in the ring any more. */
export async function openSecrets(
  keys: SealingKeys,
  { id, sealedWith: keyId, ...row }: SealedSecrets & { readonly id: string },
  nowMs: number,
): Promise<OpenSecrets | undefined> {
  const newest = await openText(keys, { keyId, sealed: row.sealedSecret }, id);
  if (newest === undefined) return undefined;
  const { previousSealedSecret: sealed, previousUntilMs: untilMs } = row;
  if (sealed === null || untilMs === null || nowMs >= untilMs) return { newest, previous: undefined };
  const secret = await openText(keys, { keyId, sealed }, id);
  return { newest, previous: secret === undefined ? undefined : { secret, untilMs } };
}

/** Seals an endpoint's secrets with the newest key of the ring. */
export async function sealSecrets(keys: SealingKeys, id: string, { newest, previous }: OpenSecrets): Promise<SealedSecrets> {
  const { keyId, sealed } = await sealText(keys, newest, id);
  return {
    sealedSecret: sealed,
    previousSealedSecret: previous ? (await sealText(keys, previous.secret, id)).sealed : null,
    previousUntilMs: previous?.untilMs ?? null,
    sealedWith: keyId,
  };
}
