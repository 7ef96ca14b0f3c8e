import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { GatePort } from "#domain/gate-messages";
import { eventShape } from "#http/routes/events/event-shape";
import { createEvent } from "#services/event/create-event";
import { findEvent } from "#services/event/find-event";
import { updateEvent } from "#services/event/update-event";
import { brokenDb, callService, closeInventories, EVENT, makeEvent, makeOrganiser, makeType } from "../support/organiser.ts";

afterEach(closeInventories);

const FIELDS = {
  name: "Night of the Lamps",
  venueName: null,
  startsAtMs: 1_000,
  endsAtMs: 2_000,
  timezone: "UTC",
  currency: "EUR",
};

/** A gate that can't be reached. */
function brokenGate(): GatePort {
  return { configure: () => Promise.reject(new Error("the gate is down")) } as unknown as GatePort; // nothing else is asked
}

describe("an event", () => {
  it("reads to anyone exactly as its organiser described it", async () => {
    const organiser = await makeOrganiser();
    const made = await organiser.call("POST", "/api/v1/events", EVENT);
    expect(made.status).toBe(201);
    const event = eventShape.strict().parse(made.body);
    expect(event).toMatchObject(EVENT);
    expect(await callService("GET", `/api/v1/events/${event.id}`)).toEqual({ status: 200, body: made.body });
  });

  it("reads as changed at once to the organiser who changed it, with what was left out gone", async () => {
    const organiser = await makeOrganiser();
    const path = `/api/v1/events/${await makeEvent(organiser)}`;
    expect((await callService("GET", path)).body).toMatchObject({ name: EVENT.name });
    const { venueName: _, ...change } = { ...EVENT, name: "Night of the Candles", currency: "JPY" };
    const changed = await organiser.call("PUT", path, change);
    expect(changed).toMatchObject({ status: 200, body: { ...change, venueName: null } });
    expect(await callService("GET", path)).toEqual({ status: 200, body: changed.body });
  });

  it.each([
    [{ endsAt: EVENT.startsAt }, "endsAt", "not_after_start"],
    [{ timezone: "Mars/Olympus_Mons" }, "timezone", "unknown_timezone"],
    [{ timezone: "+02:00" }, "timezone", "unknown_timezone"],
    [{ currency: "eur" }, "currency", "unknown_currency"],
    [{ currency: "QQQ" }, "currency", "unknown_currency"],
    [{ startsAt: "2031-05-01T18:00:00+02:00" }, "startsAt", "invalid_format"],
    [{ name: "   " }, "name", "too_small"],
    [{ tenantId: crypto.randomUUID() }, "tenantId", "unknown_field"],
  ])("is not made of %j, and the field is named", async (change, path, code) => {
    const organiser = await makeOrganiser();
    const refused = await organiser.call("POST", "/api/v1/events", { ...EVENT, ...change });
    expect(refused).toMatchObject({ status: 400, body: { code: "validation_failed", errors: [{ path, code }] } });
    expect(await env.DB.prepare("SELECT 1 FROM events WHERE tenant_id = ?").bind(organiser.tenantId).first()).toBeNull();
  });

  it("keeps its currency once a price is in it", async () => {
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    await makeType(organiser, eventId);
    const refused = await organiser.call("PUT", `/api/v1/events/${eventId}`, { ...EVENT, currency: "JPY", name: "Other" });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: "currency", code: "immutable" }] } });
    expect((await callService("GET", `/api/v1/events/${eventId}`)).body).toMatchObject(EVENT);
    expect((await organiser.call("PUT", `/api/v1/events/${eventId}`, { ...EVENT, name: "Other" })).status).toBe(200);
  });

  it("is not there for organisers of another tenant, and stays as it is", async () => {
    const [owner, stranger] = await Promise.all([makeOrganiser(), makeOrganiser("admin")]);
    const path = `/api/v1/events/${await makeEvent(owner)}`;
    expect((await stranger.call("PUT", path, { ...EVENT, name: "Stolen" })).status).toBe(404);
    expect((await callService("GET", path)).body).toMatchObject(EVENT);
  });

  it.each(["user", "door_staff"] as const)("is neither made nor changed by a %s of the same tenant", async (role) => {
    const owner = await makeOrganiser();
    const path = `/api/v1/events/${await makeEvent(owner)}`;
    const member = await makeOrganiser(role, owner.tenantId);
    expect((await member.call("POST", "/api/v1/events", EVENT)).status).toBe(403);
    expect((await member.call("PUT", path, EVENT)).status).toBe(403);
    expect((await callService("PUT", path, EVENT)).status).toBe(401);
  });

  it("answers 404 for an id that nobody gave out and 400 for one that is none", async () => {
    expect((await callService("GET", `/api/v1/events/${crypto.randomUUID()}`)).status).toBe(404);
    expect((await callService("GET", "/api/v1/events/1")).status).toBe(400);
  });
});

describe("an event and its gate", () => {
  it("are made together: without a gate that could admit, there is no event", async () => {
    const organiser = await makeOrganiser();
    await expect(createEvent(organiser.contextWith({ gate: brokenGate }), FIELDS)).rejects.toThrow("the gate is down");
    expect(await env.DB.prepare("SELECT 1 FROM events WHERE tenant_id = ?").bind(organiser.tenantId).first()).toBeNull();
  });

  it("agree again when a change that the gate missed is sent once more", async () => {
    const organiser = await makeOrganiser();
    const made = await createEvent(organiser.contextWith(), FIELDS);
    if (!made.ok) throw new Error("the event was refused");
    const change = { eventId: made.value.id, fields: { ...FIELDS, startsAtMs: 1_500 } };
    await expect(updateEvent(organiser.contextWith({ gate: brokenGate }), change)).rejects.toThrow("the gate is down");
    const told: unknown[] = [];
    const gate = (eventId: string): GatePort => {
      const real = env.EVENT_GATE.getByName(eventId);
      const configure: GatePort["configure"] = (config) => {
        told.push(config);
        return real.configure(config);
      };
      return { configure } as unknown as GatePort; // nothing else is asked
    };
    expect((await updateEvent(organiser.contextWith({ gate }), change)).ok).toBe(true);
    expect(told).toMatchObject([{ eventId: made.value.id, startsAtMs: 1_500, endsAtMs: 2_000 }]);
  });
});

describe("an event that an isolate remembers", () => {
  it("shows a change made elsewhere at most two seconds later", async () => {
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    const nowMs = Date.now();
    await findEvent(organiser.contextWith({ nowMs }), eventId);
    await env.DB.prepare("UPDATE events SET name = 'Moved' WHERE id = ?").bind(eventId).run();
    const later = await findEvent(organiser.contextWith({ nowMs: nowMs + 2_001 }), eventId);
    expect(later).toMatchObject({ ok: true, value: { name: "Moved" } });
  });

  it("is still shown while D1 is down for minutes, but not for ever", async () => {
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    const nowMs = Date.now();
    await findEvent(organiser.contextWith({ nowMs }), eventId);
    const down = (afterMs: number): ReturnType<typeof findEvent> =>
      findEvent(organiser.contextWith({ db: brokenDb, nowMs: nowMs + afterMs }), eventId);
    expect(await down(300_000)).toMatchObject({ ok: true, value: { name: EVENT.name } });
    await expect(down(600_001)).rejects.toThrow("D1 is down");
  });
});
