import { env } from "cloudflare:workers";
import type { JWK } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createAuthenticator } from "#http/middleware/authenticate";
import { parseConfig, type Config } from "#src/config";
import { generatePrivateJwk } from "../support/generate-keys.ts";
import { readProblem, send } from "../support/call-service.ts";
import { signToken, trustedPrivateJwk } from "../support/sign-token.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const PRIVATE_ROUTE = "/api/v1/tickets";

function call(authorization: string): Promise<Response> {
  return send(PRIVATE_ROUTE, { headers: { authorization } });
}

function configWith(change: Partial<Config>): Config {
  const config = parseConfig(env);
  if (!config.ok) throw new Error("the tests' environment is misconfigured");
  return { ...config.value, ...change };
}

describe("a good token", () => {
  it("opens the door to its bearer", async () => {
    expect((await call(`Bearer ${await signToken()}`)).status).toBe(200);
  });

  it("may be announced in any case, as the scheme of RFC 9110 is", async () => {
    expect((await call(`bearer ${await signToken()}`)).status).toBe(200);
  });
});

describe("a token that is not ours", () => {
  it("opens nothing when a stranger's key signed it under our key's id", async () => {
    const privateJwk = await generatePrivateJwk(trustedPrivateJwk().kid);
    expect((await call(`Bearer ${await signToken({ privateJwk })}`)).status).toBe(401);
  });

  it.each(["RS512", "HS256", "none"] as const)(
    "opens nothing as %s, even when our keys do not say their algorithm",
    async (alg) => {
      const keys = configWith({}).JWT_JWKS?.keys ?? [];
      const unlabelled = keys.map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => name !== "alg")) as JWK); // kty is still there
      const authenticator = createAuthenticator(configWith({ JWT_JWKS: { keys: unlabelled } }));
      expect(await authenticator.authenticate(`Bearer ${await signToken()}`, Date.now())).toMatchObject({ ok: true });
      expect(await authenticator.authenticate(`Bearer ${await signToken({ alg })}`, Date.now())).toMatchObject({
        ok: false,
        failure: { code: "unauthenticated" },
      });
    },
  );

  it("opens nothing when its tenant is written in upper case, for ids have one spelling", async () => {
    const tenantId = "0A4F8F1E-5B1B-4F0E-9C66-0F6C5B0A9F11";
    expect(await readProblem(await call(`Bearer ${await signToken({ tenantId })}`))).toMatchObject({ status: 401 });
  });

  it.each(["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer not-a-token", "Bearer a.b.c"])(
    "opens nothing when there is none in the header: %j",
    async (authorization) => {
      expect(await readProblem(await call(authorization))).toMatchObject({ status: 401, code: "unauthenticated" });
    },
  );
});

describe("a token that was verified before", () => {
  it("is still refused once it has expired", async () => {
    const authenticator = createAuthenticator(configWith({}));
    const authorization = `Bearer ${await signToken({ ttlSeconds: 600 })}`;
    const nowMs = Date.now();
    expect(await authenticator.authenticate(authorization, nowMs)).toMatchObject({ ok: true });
    expect(await authenticator.authenticate(authorization, nowMs + 1_000)).toMatchObject({ ok: true });
    expect(await authenticator.authenticate(authorization, nowMs + 601_000)).toMatchObject({
      ok: false,
      failure: { code: "unauthenticated" },
    });
  });

  it("is not taken for another that begins alike", async () => {
    const authenticator = createAuthenticator(configWith({}));
    const token = await signToken();
    expect(await authenticator.authenticate(`Bearer ${token}`, Date.now())).toMatchObject({ ok: true });
    const cut = token.slice(0, -4);
    expect(await authenticator.authenticate(`Bearer ${cut}`, Date.now())).toMatchObject({ ok: false });
  });

  it("keeps its own bearer when many others come", async () => {
    const authenticator = createAuthenticator(configWith({}));
    const users = Array.from({ length: 20 }, () => crypto.randomUUID());
    const tokens = await Promise.all(users.map((sub) => signToken({ sub })));
    for (let round = 0; round < 2; round += 1) {
      const found = await Promise.all(tokens.map((token) => authenticator.authenticate(`Bearer ${token}`, Date.now())));
      expect(found.map((one) => one.ok && one.value.userId)).toEqual(users);
    }
  });
});

describe("token keys behind an address", () => {
  const remote = (): ReturnType<typeof createAuthenticator> => {
    const { JWT_JWKS: _, ...withoutKeys } = configWith({ JWT_JWKS_URL: "https://issuer.test/jwks.json" });
    return createAuthenticator(withoutKeys);
  };

  it("are fetched once and open the door to the tokens they verify, and to no others", async () => {
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(env.JWT_JWKS));
    const authenticator = remote();
    expect(await authenticator.authenticate(`Bearer ${await signToken()}`, Date.now())).toMatchObject({ ok: true });
    expect(await authenticator.authenticate(`Bearer ${await signToken()}`, Date.now())).toMatchObject({ ok: true });
    const privateJwk = await generatePrivateJwk(trustedPrivateJwk().kid);
    expect(await authenticator.authenticate(`Bearer ${await signToken({ privateJwk })}`, Date.now())).toMatchObject({
      failure: { code: "unauthenticated" },
    });
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it.each<[string, () => Promise<Response>]>([
    ["do not answer", () => Promise.reject(new TypeError("unreachable"))],
    ["answer with an error", () => Promise.resolve(new Response("no", { status: 500 }))],
    ["answer with something else", () => Promise.resolve(Response.json({ hello: "world" }))],
  ])("are our fault when they %s: 503, for the bearer did nothing wrong", async (_, answer) => {
    vi.spyOn(globalThis, "fetch").mockImplementation(answer);
    expect(await remote().authenticate(`Bearer ${await signToken()}`, Date.now())).toMatchObject({
      failure: { code: "token_keys_unavailable" },
    });
  });
});
