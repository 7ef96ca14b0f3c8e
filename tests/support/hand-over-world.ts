/** A ticket on offer at a real gate, desk and D1, where a test may step in before and after each call of an acceptance. */
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { deriveId, deskNumberFor, type DeskNumber } from "#domain/ids";
import type { GatePort, ScanAnswer } from "#domain/gate-messages";
import type { DeskPort } from "#domain/order-messages";
import type { Principal } from "#domain/principal";
import type { Result } from "#domain/result";
import type { Failure } from "#domain/failure";
import type { SignedInContext } from "#services/context";
import { acceptTransfer } from "#services/transfer/accept-transfer";
import { offerTransfer } from "#services/transfer/offer-transfer";
import { sweepTransfers } from "#services/transfer/sweep-transfers";
import type { TransferView } from "#services/transfer/transfer-view";
import { withdrawTransfer } from "#services/transfer/withdraw-transfer";
import { compose } from "#src/compose";
import { makeBreakableD1 } from "./breakable-reach.ts";
import { makeDoor, type Door } from "./make-door.ts";

/** The calls that an acceptance makes after its claim, in their order. */
export const STEPS = ["gate", "desk", "d1"] as const;
export type Step = (typeof STEPS)[number];

/** What a test does at a step of the acceptance: it runs before or after the real call, and may throw as a crash does. */
export interface Intrusion {
  readonly step: Step;
  readonly when: "before" | "after";
  act(): Promise<unknown>;
}

/** Offers, and who is who. */
export interface HandOverWorld {
  readonly door: Door;
  readonly ticketId: string;
  readonly transferId: string;
  readonly sender: Principal;
  readonly recipient: Principal;
  /** A context of the service for someone, with a test's intrusions in it. */
  contextOf(principal: Principal, intrusions?: readonly Intrusion[]): SignedInContext;
  accept(intrusions?: readonly Intrusion[], principal?: Principal): Promise<Result<TransferView, Failure>>;
  cancel(): Promise<Result<TransferView, Failure>>;
  decline(principal?: Principal): Promise<Result<TransferView, Failure>>;
  /** The cron, a minute later. */
  sweep(): Promise<void>;
  /** Scans the ticket's credential of this epoch for entry. */
  readonly scan: (epoch: number) => Promise<ScanAnswer>;
  readTransfer(): Promise<Record<string, unknown> | null>;
}

function makePrincipal(tenantId: string, change: Partial<Principal> = {}): Principal {
  return { tenantId, userId: crypto.randomUUID(), role: "user", permissions: [], ...change };
}

function intrude(base: SignedInContext, intrusions: readonly Intrusion[]): SignedInContext {
  const call = async <T>(step: Step, make: () => T | Promise<T>): Promise<T> => {
    const at = (when: Intrusion["when"]): Promise<unknown[]> =>
      Promise.all(intrusions.filter((one) => one.step === step && one.when === when).map((one) => one.act()));
    await at("before");
    const made = await make();
    await at("after");
    return made;
  };
  const gate = (eventId: string): Pick<GatePort, "handOver" | "previewHandOver"> => {
    const real = base.gate(eventId);
    return {
      handOver: (command) => call("gate", () => real.handOver(command)),
      previewHandOver: (command) => real.previewHandOver(command),
    };
  };
  const desk = (number: DeskNumber): Pick<DeskPort, "passOnTicket"> => ({
    passOnTicket: (tenantId, ticketId) => call("desk", () => base.desk(number).passOnTicket(tenantId, ticketId)),
  });
  // Only the acceptance's last step is a batch.
  const db = drizzle(makeBreakableD1((_, make) => call("d1", make)));
  return { ...base, gate, desk, db } as unknown as SignedInContext; // whatever else is asked for is missing and fails the test
}

/** Sells a ticket at a new door and offers it, to a user or to an address. */
export async function offerAtDoor(toEmail: string | null = null): Promise<HandOverWorld> {
  const door = await makeDoor();
  const { tenantId } = door;
  const sender = makePrincipal(tenantId);
  const recipient = makePrincipal(tenantId, toEmail === null ? {} : { verifiedEmail: toEmail });
  const composed = compose(env);
  if (!composed.ok) throw new Error("the tests' environment is misconfigured");
  const { createContext } = composed.value;
  const contextOf = (principal: Principal, intrusions: readonly Intrusion[] = []): SignedInContext =>
    intrude({ ...createContext("test", Date.now()), principal }, intrusions);
  const desk = deskNumberFor(tenantId, sender.userId, 4);
  const ticketId = await door.sellTicket(deriveId(desk, [crypto.randomUUID()]), sender.userId);
  const requestId = crypto.randomUUID();
  const request = { tenantId, userId: sender.userId, requestId, route: "offer", bodyHash: "hash" };
  const to = { toUserId: toEmail === null ? recipient.userId : null, toEmail };
  const offered = await offerTransfer(contextOf(sender), { request, ticketId, to });
  if (!offered.ok) throw new Error(`not offered: ${offered.failure.code}`);
  const transferId = offered.value.id;
  return {
    door,
    ticketId,
    transferId,
    sender,
    recipient,
    contextOf,
    accept: (intrusions = [], principal = recipient) =>
      acceptTransfer(contextOf(principal, intrusions), { transferId, walletAddress: null }),
    cancel: () => withdrawTransfer(contextOf(sender), transferId, "CANCELLED"),
    decline: (principal = recipient) => withdrawTransfer(contextOf(principal), transferId, "DECLINED"),
    sweep: async () => void (await sweepTransfers({ ...createContext("cron", Date.now() + 60_000) })),
    async scan(credentialEpoch) {
      const answer = await door.gate.admit({
        tenantId,
        ticketId,
        ticketTypeNumber: door.type.number,
        credentialEpoch,
        listId: null,
        type: "entry",
        nonce: null,
        force: false,
        scannedBy: crypto.randomUUID(),
        scannedAtMs: Date.now(),
      });
      if (answer === undefined) throw new Error("the gate is not of this tenant");
      return answer;
    },
    readTransfer: () => env.DB.prepare("SELECT * FROM ticket_transfers WHERE id = ?").bind(transferId).first(),
  };
}

/** What a race ended with, in one word each, so that tests read as a table. */
export function wordOf(result: Result<unknown, Failure>): string {
  return result.ok ? "ok" : result.failure.code;
}

/** An intrusion that kills the acceptance. */
export function crashAt(step: Step, when: Intrusion["when"]): Intrusion {
  return { step, when, act: () => Promise.reject(new Error(`crash ${when} ${step}`)) };
}
