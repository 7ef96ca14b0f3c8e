/** What `env` of "cloudflare:workers" holds in tests: the bindings of wrangler.toml, the variables, and the tests' own. */
declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database;
    readonly MINT_QUEUE: Queue;
    readonly TEST_JWT_PRIVATE_JWK: string;
    readonly TEST_D1_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}
