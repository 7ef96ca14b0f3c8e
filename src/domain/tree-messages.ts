/** A message of the queue `chain-jobs`: the tree at this address is to be made. */
export interface TreeMessage {
  readonly address: string;
}

/** Reads a message's body. @returns undefined when it is no such message. */
export function parseTreeMessage(body: unknown): TreeMessage | undefined {
  if (typeof body !== "object" || body === null || !("address" in body)) return undefined;
  return typeof body.address === "string" ? { address: body.address } : undefined;
}
