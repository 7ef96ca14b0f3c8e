/** Global types that the Worker's platform and Node share, which Node's types know only as members of a module. */
import type { webcrypto } from "node:crypto";

declare global {
  interface CryptoKey extends webcrypto.CryptoKey {}
}
