import type { Logger } from "#platform/logger";
import { RpcError, type RpcClient } from "./rpc-client.ts";

/** JSON-RPC's "invalid params": the answer of a node to bytes that it can't read as a transaction. */
const INVALID_PARAMS = -32_602;
/** What a node that reads version 1 says while its cluster has not switched it on. */
const VERSION_ERRORS: readonly unknown[] = ["UnsupportedVersion", "SanitizeFailure"];
/** How a transaction of version 1 begins: 0x81, and fewer than 16 signers. Another would have 129 signatures to begin so. */
const VERSION_1_BASE64 = "gQ";

/**
 * Whether the nodes take transactions of version 1, found out by the first that is signed: it is simulated before anything of it is
 * stored, so no ticket waits out the life of a transaction that no node will take. Once refused, none is signed any more.
 */
export class Version1 {
  readonly #rpc: RpcClient;
  readonly #logger: Pick<Logger, "warn"> | undefined;
  #standing: "untried" | "taken" | "refused" = "untried";

  /** @param logger is told once of a refusal. */
  constructor(rpc: RpcClient, logger: Pick<Logger, "warn"> | undefined) {
    this.#rpc = rpc;
    this.#logger = logger;
  }

  get isRefused(): boolean {
    return this.#standing === "refused";
  }

  /**
   * Shows a signed transaction of version 1 to the node, unless that was done before.
   * @returns false when the node refuses the version. Whatever else it has against the transaction is decided elsewhere.
   * @throws when no node can be reached.
   */
  async isTaken(wireBase64: string): Promise<boolean> {
    if (this.#standing === "untried") {
      const problem = await this.#simulate(wireBase64);
      if (problem === null) this.#standing = "taken";
      else this.#refuse(problem);
    }
    return !this.isRefused;
  }

  /** Hears what a node complained of when it was sent these bytes: another node than the one that was asked may know less. */
  noteComplaint(wireBase64: string, complaint: string): void {
    const isOurs = wireBase64.startsWith(VERSION_1_BASE64);
    if (isOurs && (complaint.includes(`(${INVALID_PARAMS})`) || complaint.includes("UnsupportedVersion")))
      this.#refuse(complaint);
  }

  async #simulate(wireBase64: string): Promise<string | null> {
    const options = { encoding: "base64", commitment: "confirmed", sigVerify: false, replaceRecentBlockhash: true };
    try {
      const { value } = await this.#rpc.call<{ value: { err: unknown } }>("simulateTransaction", [wireBase64, options]);
      return VERSION_ERRORS.includes(value.err) ? String(value.err) : null;
    } catch (error) {
      if (!(error instanceof RpcError) || error.code > 0) throw error;
      // A node that simulates for nobody has said nothing against the version.
      return error.code === INVALID_PARAMS ? error.message : null;
    }
  }

  #refuse(problem: string): void {
    if (this.isRefused) return;
    this.#standing = "refused";
    this.#logger?.warn("the node refuses transactions of version 1: mints go on in version 0", { problem });
  }
}
