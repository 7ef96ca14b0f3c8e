import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { ScanAnswer } from "#domain/gate-messages";
import { closeDoors, entryScan as scan, makeDoor } from "../support/make-door.ts";

afterEach(closeDoors);

function countAdmitted(answers: readonly (ScanAnswer | undefined)[]): number {
  return answers.filter((answer) => answer?.result === "admitted").length;
}

describe("two devices at the same instant", () => {
  it("let one ticket in exactly once", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => door.gate.admit(scan(door, { ticketId }))));
    expect(countAdmitted(answers)).toBe(1);
    expect(answers.filter((answer) => answer?.reason === "already_redeemed")).toHaveLength(19);
    const stats = await door.gate.stats(door.tenantId);
    expect(stats?.lists).toEqual([{ listId: null, ticketTypeId: door.type.ticketTypeId, admitted: 1, inside: 1 }]);
  });

  it("would let it in more than once at a gate that awaits between look and note, so the test above can fail", async () => {
    const admitted = new Set<string>();
    const admitCarelessly = async (ticketId: string): Promise<boolean> => {
      const isNew = !admitted.has(ticketId);
      await scheduler.wait(0);
      admitted.add(ticketId);
      return isNew;
    };
    const answers = await Promise.all(Array.from({ length: 20 }, () => admitCarelessly("ticket")));
    expect(answers.filter(Boolean).length).toBeGreaterThan(1);
  });

  it("are answered in one commit, so a queue of people costs one write to disk", async () => {
    const door = await makeDoor();
    await runInDurableObject(door.gate, async (gate, state) => {
      const commit = state.storage.transactionSync.bind(state.storage);
      let commits = 0;
      state.storage.transactionSync = (work) => {
        commits += 1;
        return commit(work);
      };
      const answers = await Promise.all(Array.from({ length: 20 }, () => gate.admit(scan(door))));
      expect(countAdmitted(answers)).toBe(20);
      expect(commits).toBe(1);
    });
  });
});

describe("a repeated question", () => {
  it("with the same nonce gets the first answer and leaves one record", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket();
    const command = scan(door, { ticketId, nonce: crypto.randomUUID() });
    const first = await door.gate.admit(command);
    const again = await door.gate.admit(command);
    expect(first).toMatchObject({ result: "admitted", replayed: false });
    expect(again).toEqual({ ...first, replayed: true });
    await door.flush();
    expect(await door.listValidations()).toHaveLength(1);
  });

  it("gets its own first answer, however often the ticket went in and out since, and after the object was evicted", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    const questions = [
      scan(door, { ticketId, nonce: "1" }),
      scan(door, { ticketId, nonce: "2" }), // refused: it is inside
      scan(door, { ticketId, nonce: "1", type: "exit" }),
      scan(door, { ticketId, nonce: "3" }),
      scan(door, { ticketId, nonce: "1", listId: "backstage" }),
    ];
    const first: (ScanAnswer | undefined)[] = [];
    for (const question of questions) first.push(await door.gate.admit(question));
    expect(first.map((answer) => [answer?.result, answer?.entryCount])).toEqual([
      ["admitted", 1],
      ["refused", 1],
      ["admitted", 1],
      ["admitted", 2],
      ["admitted", 1],
    ]);
    await evictDurableObject(door.gate);
    for (const [index, question] of questions.entries())
      expect(await door.gate.admit(question), `question ${index + 1}`).toEqual({ ...first[index], replayed: true });
    expect((await door.gate.stats(door.tenantId))?.lists).toMatchObject([{ admitted: 1 }, { admitted: 1 }]);
  });

  it("gets the answer that a gate kept in a row of its own, as gates did before", async () => {
    const door = await makeDoor();
    const command = scan(door, { nonce: crypto.randomUUID() });
    const first = await door.gate.admit(command);
    await runInDurableObject(door.gate, (_, { storage: { sql } }) => {
      sql.exec("UPDATE admissions SET first_nonce = NULL");
      const values = [command.ticketId, command.nonce, JSON.stringify(first)];
      sql.exec("INSERT INTO nonces (ticket_id, list_id, type, nonce, answer) VALUES (?, '', 'entry', ?, ?)", ...values);
    });
    expect(await door.gate.admit(command)).toEqual({ ...first, replayed: true });
  });

  it("that arrives together with the first gets the same answer", async () => {
    const door = await makeDoor();
    const command = scan(door, { nonce: crypto.randomUUID() });
    const answers = await Promise.all([door.gate.admit(command), door.gate.admit(command)]);
    expect(countAdmitted(answers)).toBe(2);
    expect(answers.map((answer) => answer?.entryCount)).toEqual([1, 1]);
    expect((await door.gate.stats(door.tenantId))?.lists).toMatchObject([{ admitted: 1, inside: 1 }]);
  });

  it("at another list, or on the way out, is another question, also when both arrive together", async () => {
    const door = await makeDoor();
    const command = scan(door, { nonce: "1" });
    const asked = [command, { ...command, listId: "backstage" }, { ...command, type: "exit" as const }];
    const answers = await Promise.all(asked.map((each) => door.gate.admit(each)));
    expect(answers.map((answer) => answer?.replayed)).toEqual([false, false, false]);
    expect(answers.map((answer) => answer?.entryCount)).toEqual([1, 1, 1]);
    expect(answers[2]).toMatchObject({ result: "admitted", admittedAtMs: null });
  });

  it("still hears that its holder was let in after the code has become stale", async () => {
    const door = await makeDoor();
    const { force, ticketTypeNumber, credentialEpoch, ...question } = scan(door, { nonce: crypto.randomUUID() });
    const first = await door.gate.admit({ ...question, force, ticketTypeNumber, credentialEpoch });
    const late = await door.gate.refuse({ ...question, ticketTypeNumber, fault: "expired_code" });
    expect(late).toEqual({ ...first, replayed: true });
  });

  it("does not let another ticket in on the first one's answer", async () => {
    const door = await makeDoor();
    const nonce = "1";
    const dead = crypto.randomUUID();
    await door.gate.recall({ tenantId: door.tenantId, ticketIds: [dead], reason: "canceled", actor: "test" });
    await door.gate.admit(scan(door, { nonce }));
    expect(await door.gate.admit(scan(door, { nonce, ticketId: dead }))).toMatchObject({
      result: "refused",
      reason: "canceled",
    });
  });
});

describe("a hand-over", () => {
  it("holds against a scan of the old code that arrives in the same instant behind it", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    const [, answer] = await Promise.all([
      door.gate.handOver({ tenantId: door.tenantId, ticketId, toEpoch: 1, actor: "test" }),
      door.gate.admit(scan(door, { ticketId })),
    ]);
    expect(answer).toMatchObject({ result: "refused", reason: "revoked" });
    expect(await door.gate.admit(scan(door, { ticketId, credentialEpoch: 1 }))).toMatchObject({ result: "admitted" });
  });
});

describe("a gate", () => {
  it("remembers who is inside when the object is evicted", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    await door.gate.admit(scan(door, { ticketId }));
    await evictDurableObject(door.gate);
    expect(await door.gate.admit(scan(door, { ticketId }))).toMatchObject({ result: "refused", reason: "already_redeemed" });
    await door.gate.admit(scan(door, { ticketId, type: "exit" }));
    await evictDurableObject(door.gate);
    expect((await door.gate.stats(door.tenantId))?.lists).toMatchObject([{ admitted: 1, inside: 0 }]);
    expect(await door.gate.admit(scan(door, { ticketId }))).toMatchObject({ result: "admitted", entryCount: 2 });
  });

  it("counts each list by itself", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    expect(await door.gate.admit(scan(door, { ticketId }))).toMatchObject({ result: "admitted" });
    expect(await door.gate.admit(scan(door, { ticketId, listId: "backstage" }))).toMatchObject({ result: "admitted" });
    expect(await door.gate.admit(scan(door, { ticketId, listId: "backstage" }))).toMatchObject({ reason: "already_redeemed" });
    const stats = await door.gate.stats(door.tenantId);
    expect(stats?.lists).toHaveLength(2);
    expect(stats?.lists).toContainEqual({ listId: "backstage", ticketTypeId: door.type.ticketTypeId, admitted: 1, inside: 1 });
  });

  it("answers nothing to another tenant, and keeps nothing of it", async () => {
    const door = await makeDoor();
    const stranger = { tenantId: crypto.randomUUID() };
    expect(await door.gate.admit(scan(door, stranger))).toBeUndefined();
    expect(await door.gate.preview(scan(door, stranger))).toBeUndefined();
    expect(await door.gate.stats(stranger.tenantId)).toBeUndefined();
    const theirs = { ...stranger, ticketIds: [crypto.randomUUID()], actor: "test" };
    expect(await door.gate.recall({ ...theirs, reason: "canceled" })).toBe(false);
    expect(await door.gate.block({ ...theirs, isBlocked: true, version: 1 })).toBe(false);
    await runInDurableObject(door.gate, (_, state) => {
      for (const table of ["outbox", "revocations", "blocks", "admissions"]) {
        expect(state.storage.sql.exec(`SELECT * FROM ${table}`).toArray(), table).toEqual([]);
      }
    });
  });

  it("previews what a scan would answer and changes nothing", async () => {
    const door = await makeDoor();
    const command = scan(door, { nonce: crypto.randomUUID() });
    expect(await door.gate.preview(command)).toMatchObject({ result: "admitted", entryCount: 1 });
    expect((await door.gate.stats(door.tenantId))?.lists).toEqual([]);
    expect(await door.gate.admit(command)).toMatchObject({ result: "admitted", entryCount: 1, replayed: false });
    expect(await door.gate.preview(scan(door, { ticketId: command.ticketId }))).toMatchObject({ reason: "already_redeemed" });
  });

  it("lets the neighbours of a scan that cannot be applied in, and forgets the counts of what was rolled back", async () => {
    const door = await makeDoor();
    const broken = scan(door, { ticketId: null as unknown as string }); // no such scan exists in types; storage refuses it
    const answers = await Promise.allSettled([
      door.gate.admit(scan(door)),
      door.gate.admit(broken),
      door.gate.admit(scan(door)),
    ]);
    const admitted = answers.filter((answer) => answer.status === "fulfilled" && answer.value?.result === "admitted");
    const stats = await door.gate.stats(door.tenantId);
    expect(stats?.lists).toMatchObject([{ admitted: admitted.length }]);
  });
});

describe("the database behind the gate", () => {
  it("hears of every scan, and of the first admission as the ticket's use", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket();
    const admitted = await door.gate.admit(scan(door, { ticketId }));
    await door.gate.admit(scan(door, { ticketId }));
    await door.flush();
    expect(await door.listValidations()).toMatchObject([
      { ticket_id: ticketId, result: "admitted", reason: null, forced: 0, type: "entry" },
      { ticket_id: ticketId, result: "refused", reason: "already_redeemed" },
    ]);
    expect(await door.findTicket(ticketId)).toMatchObject({ status: "USED", admitted_at_ms: admitted?.admittedAtMs });
  });

  it("keeps a forged code's attempt without a ticket", async () => {
    const door = await makeDoor();
    const { force: _, credentialEpoch: __, ...question } = scan(door);
    await door.gate.refuse({ ...question, ticketId: null, ticketTypeNumber: null, fault: "invalid" });
    await door.flush();
    expect(await door.listValidations()).toMatchObject([{ ticket_id: null, result: "refused", reason: "invalid" }]);
  });

  it("changes nothing when a delivery comes twice", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket();
    await door.gate.admit(scan(door, { ticketId }));
    const rows = await runInDurableObject(door.gate, (_, state) => state.storage.sql.exec("SELECT * FROM outbox").toArray());
    await door.flush();
    await env.DB.prepare("UPDATE tickets SET status = 'CANCELLED' WHERE id = ?").bind(ticketId).run();
    await runInDurableObject(door.gate, (_, state) => {
      for (const row of rows)
        state.storage.sql.exec(
          "INSERT INTO outbox (seq, topic, body) VALUES (?, ?, ?)",
          row["seq"] ?? 0,
          row["topic"] ?? "",
          row["body"] ?? "",
        );
      return state.storage.setAlarm(Date.now() + 60_000);
    });
    await door.flush();
    expect(await door.listValidations()).toHaveLength(1);
    expect(await door.findTicket(ticketId)).toMatchObject({ status: "CANCELLED" });
  });

  it("gets a scan whose ticket it does not know yet later, and those behind it at once", async () => {
    const door = await makeDoor();
    const unknown = crypto.randomUUID();
    const known = await door.sellTicket();
    await door.gate.admit(scan(door, { ticketId: unknown }));
    await door.gate.admit(scan(door, { ticketId: known }));
    await door.flush();
    expect(await door.listValidations()).toMatchObject([{ ticket_id: known }]);
    await door.sellTicket(unknown);
    await runInDurableObject(door.gate, (_, state) => {
      expect(state.storage.sql.exec("SELECT seq FROM outbox WHERE attempts > 0").toArray()).toHaveLength(1);
      state.storage.sql.exec("UPDATE outbox SET due_at_ms = 1"); // its rest is over
    });
    await door.flush();
    expect(await door.listValidations()).toHaveLength(2);
    expect(await door.findTicket(unknown)).toMatchObject({ status: "USED" });
  });
});

it("forgets first answers a day after the gate has closed, and not before", async () => {
  const hourMs = 3_600_000;
  const door = await makeDoor({ startsAtMs: Date.now() - 40 * hourMs, endsAtMs: Date.now() - 29 * hourMs });
  const ticketId = crypto.randomUUID();
  const entry = scan(door, { ticketId, force: true, nonce: crypto.randomUUID() });
  const exit = scan(door, { ticketId, type: "exit", nonce: crypto.randomUUID() });
  await door.gate.admit(entry);
  await door.gate.admit(exit);
  await door.flush();
  for (const command of [entry, exit]) expect(await door.gate.admit(command)).toMatchObject({ replayed: true });
  await door.gate.configure({ ...door.config, endsAtMs: Date.now() - 31 * hourMs });
  await runInDurableObject(door.gate, (_, state) => state.storage.setAlarm(Date.now() + 60_000));
  await runDurableObjectAlarm(door.gate);
  for (const command of [entry, exit]) expect(await door.gate.admit(command)).toMatchObject({ replayed: false });
});
