/** What `env` of "cloudflare:workers" holds in tests: the bindings of wrangler.toml, the variables, and the tests' own. */
declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database;
    readonly TICKET_TYPE_INVENTORY: DurableObjectNamespace<
      import("#durable-objects/ticket-type-inventory/ticket-type-inventory").TicketTypeInventory
    >;
    readonly ORDER_DESK: DurableObjectNamespace<
      import("#durable-objects/order-desk/order-desk").OrderDeskObject<Cloudflare.Env>
    >;
    readonly EVENT_GATE: DurableObjectNamespace<import("#durable-objects/event-gate/event-gate").EventGate>;
    readonly MINT_QUEUE: Queue;
    readonly RATE_LIMIT_READ: RateLimit;
    readonly RATE_LIMIT_WRITE: RateLimit;
    readonly RATE_LIMIT_SALE: RateLimit;
    readonly RATE_LIMIT_SCAN: RateLimit;
    readonly JWT_ISSUER: string;
    readonly JWT_AUDIENCE: string;
    readonly JWT_JWKS: string;
    readonly PAYMENT_WEBHOOK_SECRETS: string;
    readonly INTERNAL_WEBHOOK_SECRETS: string;
    readonly CREDENTIAL_SIGNING_KEYS: string;
    readonly SANDBOX_PAYMENT_URL: string;
    readonly SOLANA_RPC_URL: string;
    readonly SOLANA_WALLET_PRIVATE_KEY: string;
    readonly SOLANA_TREE: string;
    readonly SOLANA_COLLECTION: string;
    readonly PUBLIC_BASE_URL: string;
    readonly TEST_JWT_PRIVATE_JWK: string;
    readonly TEST_D1_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}
