import { DurableObject } from "cloudflare:workers";
import { decideStrike, forgottenAtMs, type ClientBansPort, type ClientRecord, type Violation } from "#domain/client-bans";
import { readClockMs } from "#platform/clock";
import { createLogger } from "#platform/logger";
import clientsSql from "../../migrations/client-bans/0001_clients.sql";
import { migrate } from "../migrate.ts";

/** Clients forgotten in one alarm, and how long it waits for the next when there are more. */
const FORGOTTEN_AT_ONCE = 500;
const FORGET_AGAIN_MS = 1_000;

const UPSERT_CLIENT = `
  INSERT INTO clients (client, body, forgotten_at_ms) VALUES (?, ?, ?)
  ON CONFLICT (client) DO UPDATE SET body = excluded.body, forgotten_at_ms = excluded.forgotten_at_ms`;

const FORGET_CLIENTS = `
  DELETE FROM clients WHERE client IN
    (SELECT client FROM clients WHERE forgotten_at_ms <= ? ORDER BY forgotten_at_ms LIMIT ${FORGOTTEN_AT_ONCE})`;

/**
 * Counts the strikes of clients that break rate limits, and says who is blocked until when (docs/adr/0017). One of a few
 * objects; a client always meets the same. It is called when a limit was already exceeded and never else.
 */
export class ClientBans extends DurableObject implements ClientBansPort {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, [clientsSql]);
    this.#sql = ctx.storage.sql;
  }

  async strike(client: string, violation: Violation): Promise<number | null> {
    const nowMs = readClockMs();
    const record = this.#find(client);
    const changed = decideStrike(record, violation, nowMs);
    if (changed !== record) {
      this.#sql.exec(UPSERT_CLIENT, client, JSON.stringify(changed), forgottenAtMs(changed));
      if (changed.banCount > (record?.banCount ?? 0)) tellOfBan(client, changed, nowMs);
      if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(forgottenAtMs(changed));
    }
    return nowMs < changed.blockedUntilMs ? changed.blockedUntilMs : null;
  }

  override async alarm(): Promise<void> {
    const nowMs = readClockMs();
    this.#sql.exec(FORGET_CLIENTS, nowMs);
    const [next] = this.#sql.exec<{ ms: number | null }>("SELECT MIN(forgotten_at_ms) AS ms FROM clients").toArray();
    const nextMs = next?.ms ?? null;
    if (nextMs !== null) await this.ctx.storage.setAlarm(Math.max(nextMs, nowMs + FORGET_AGAIN_MS));
  }

  #find(client: string): ClientRecord | undefined {
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM clients WHERE client = ?", client).toArray();
    return row && (JSON.parse(row.body) as ClientRecord); // written by strike
  }
}

function tellOfBan(client: string, { blockedUntilMs, banCount }: ClientRecord, nowMs: number): void {
  const blockedForSeconds = Math.round((blockedUntilMs - nowMs) / 1000);
  createLogger("client-bans").warn("a client that broke rate limits is blocked", {
    client: client.slice(0, 12),
    blockedForSeconds,
    banCount,
  });
}
