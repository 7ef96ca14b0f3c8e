/** What `env` of "cloudflare:workers" holds in tests: the bindings of wrangler.toml, the variables, and the tests' own. */
import type { D1Migration } from "cloudflare:test";
import type { ImportGlobFunction } from "vite/types/importGlob.d.ts";
import type { Env as ServiceEnv } from "#src/config";

declare global {
  interface ImportMeta {
    /** Modules by pattern, gathered by the test runner. */
    readonly glob: ImportGlobFunction;
  }

  namespace Cloudflare {
    /** `exports.default` is the service itself. */
    interface GlobalProps {
      mainModule: typeof import("#src/index");
    }
    interface Env extends ServiceEnv {
      readonly JWT_ISSUER: string;
      readonly JWT_AUDIENCE: string;
      readonly JWT_JWKS: string;
      readonly PAYMENT_WEBHOOK_SECRETS: string;
      readonly INTERNAL_WEBHOOK_SECRETS: string;
      readonly CREDENTIAL_SIGNING_KEYS: string;
      readonly SANDBOX_PAYMENT_URL: string;
      readonly STRIPE_WEBHOOK_SECRETS: string;
      readonly STRIPE_SECRET_KEY: string;
      readonly STRIPE_API_BASE: string;
      readonly SOLANA_RPC_URL: string;
      readonly SOLANA_WALLET_PRIVATE_KEY: string;
      readonly SOLANA_TREE: string;
      readonly SOLANA_COLLECTION: string;
      readonly PUBLIC_BASE_URL: string;
      /** Private key, as a JWK, whose public half is in `JWT_JWKS`. */
      readonly TEST_JWT_PRIVATE_JWK: string;
      readonly TEST_D1_MIGRATIONS: D1Migration[];
    }
  }
}
