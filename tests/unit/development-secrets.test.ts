import { base58 } from "@metaplex-foundation/umi/serializers";
import { Keypair } from "@solana/web3.js";
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from "jose";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateDevelopmentSecrets, pairSecrets } from "#dev/dev-vars";
import { generateSolanaWallet, readSolanaAddress } from "#dev/secrets";
import { DEVELOPMENT_TENANT_ID, signDevelopmentToken } from "#dev/sign-development-token";

const TOKEN_SCRIPT = join(import.meta.dirname, "../../dev/token.ts");

function runToken(
  args: readonly string[],
): Promise<{ readonly failed: boolean; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [TOKEN_SCRIPT, ...args], (error, stdout, stderr) =>
      resolve({ failed: error !== null, stdout, stderr }),
    );
  });
}

describe("development secrets", () => {
  it("are complete: the service accepts them as they are", async () => {
    const { variables, text } = await generateDevelopmentSecrets();
    expect(Object.keys(variables)).toContain("SOLANA_WALLET_PRIVATE_KEY");
    expect(text).not.toMatch(/^[A-Z_]+=$/m);
  });

  it("are nobody else's: no two machines share one", async () => {
    const [one, other] = await Promise.all([generateDevelopmentSecrets(), generateDevelopmentSecrets()]);
    const secrets = Object.entries(one.variables).filter(([name]) => /SECRETS|KEY|JWKS/.test(name));
    expect(secrets.length).toBeGreaterThanOrEqual(6);
    for (const [name, value] of secrets) expect(other.variables[name], name).not.toBe(value);
  });

  it("name the wallet by the address that Solana's own library gives its key", () => {
    const secretKey = generateSolanaWallet();
    const { publicKey } = Keypair.fromSecretKey(base58.serialize(secretKey));
    expect(readSolanaAddress(secretKey)).toBe(publicKey.toBase58());
  });

  it("sign tokens that the service's own key set accepts, for the user and role asked", async () => {
    const secrets = await generateDevelopmentSecrets();
    const userId = crypto.randomUUID();
    const token = await signDevelopmentToken(secrets, { role: "door_staff", tenantId: DEVELOPMENT_TENANT_ID, userId });
    const jwks = JSON.parse(secrets.variables["JWT_JWKS"] ?? "") as JSONWebKeySet;
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), {
      algorithms: ["RS256"],
      issuer: secrets.variables["JWT_ISSUER"] ?? "",
      audience: secrets.variables["JWT_AUDIENCE"] ?? "",
    });
    expect(payload).toMatchObject({ sub: userId, tenant_id: DEVELOPMENT_TENANT_ID, role: "door_staff" });
  });

  it("are refused when the service would trust none of their tokens, with what to do about it", async () => {
    const [own, other] = await Promise.all([generateDevelopmentSecrets(), generateDevelopmentSecrets()]);
    const keysOf = ({ jwtPrivateJwk }: typeof own): string => JSON.stringify({ jwtPrivateJwk });
    expect(await pairSecrets(own.text, keysOf(own))).toEqual({ variables: own.variables, jwtPrivateJwk: own.jwtPrivateJwk });
    const elsewhere = own.text.replace(/^JWT_JWKS=.*$/m, "JWT_JWKS_URL=https://issuer.example/jwks.json");
    for (const [text, keys] of [
      [own.text, keysOf(other)],
      [own.text, '{"jwtPrivateJwk":{}}'],
      [elsewhere, keysOf(own)],
    ] as const) {
      await expect(pairSecrets(text, keys)).rejects.toThrow(/JWT_JWKS .* delete both files/);
    }
  });

  it("give each token without a named user a user of its own", async () => {
    const secrets = await generateDevelopmentSecrets();
    const claims = { role: "user", tenantId: DEVELOPMENT_TENANT_ID } as const;
    const tokens = await Promise.all([signDevelopmentToken(secrets, claims), signDevelopmentToken(secrets, claims)]);
    expect(new Set(tokens.map((token) => decodeJwt(token).sub)).size).toBe(2);
  });
});

describe("the token command", () => {
  it.each([
    [["--role", "boss"], "--role must be one of"],
    [[], "--role must be one of"],
    [["--role", "user", "--tenant", "x"], "--tenant must be a lower-case UUID"],
    [["--role", "user", "--count", "0"], "--count must be 1 to"],
    [["--role", "user", "--ttl", "1.5"], "--ttl must be 1 to"],
    [["--rule", "user"], "Unknown option"],
  ])("tells what is wrong with %j and prints no token", async (args, complaint) => {
    const { failed, stdout, stderr } = await runToken(args);
    expect(failed).toBe(true);
    expect(stdout).toBe("");
    expect(stderr).toContain(complaint);
    expect(stderr).toContain("usage: npm run -s token");
  });
});
