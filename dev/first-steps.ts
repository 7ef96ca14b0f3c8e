import type { Seeded } from "./seed.ts";

/** Addresses the steps are told for. */
interface Addresses {
  readonly serviceUrl: string;
  readonly paymentUrl: string;
}

/** Reads one field of an answer; where it is not there, the whole answer goes to standard error. The README has the same line. */
const FIELD = `field() { node -e 'const text = require("fs").readFileSync(0, "utf8"); try { const found = eval("JSON.parse(text)" + process.argv[1]); if (found === undefined) throw found; console.log(found) } catch { console.error(text || "no answer: is npm start running?") }' -- "$1"; }`;

/**
 * Lines for a shell (bash, with curl and Node) that buy, pay, look at and admit one ticket, once the token lines above them
 * have been pasted too.
 */
export function describeFirstSteps({ serviceUrl, paymentUrl }: Addresses, { eventId, ticketTypeIds }: Seeded): string[] {
  const basket = JSON.stringify({ eventId, tickets: [{ ticketTypeId: ticketTypeIds[0], quantity: 1 }] });
  const bearer = (name: string): string => `-H "authorization: Bearer $${name}"`;
  const json = '-H "content-type: application/json"';
  return [
    "Paste the four token lines, then buy, pay, show and admit one ticket:",
    FIELD,
    `PAYMENT=$(curl -s ${serviceUrl}/api/v1/purchase ${bearer("USER_TOKEN")} -H "idempotency-key: $RANDOM-$RANDOM" ${json} -d '${basket}' | field .payment.id)`,
    `curl -s -X POST ${paymentUrl}/payments/$PAYMENT/succeed; echo; sleep 2`,
    `TICKET=$(curl -s ${serviceUrl}/api/v1/tickets ${bearer("USER_TOKEN")} | field '.items[0].id')`,
    `curl -s ${serviceUrl}/api/v1/tickets/$TICKET ${bearer("USER_TOKEN")}; echo`,
    `QR=$(curl -s ${serviceUrl}/api/v1/qr/$TICKET/generate ${bearer("USER_TOKEN")} | field .qr)`,
    `curl -s ${serviceUrl}/api/v1/validation/scan ${bearer("DOOR_STAFF_TOKEN")} ${json} -d "{\\"qr\\":\\"$QR\\",\\"eventId\\":\\"${eventId}\\",\\"type\\":\\"entry\\"}"; echo`,
    "The same last line again is refused: already_redeemed.",
  ];
}
