import { html } from "hono/html";
import { formatAmount } from "./format-amount.ts";
import type { SandboxPayment } from "./payment-book.ts";

type Html = ReturnType<typeof html>;

const STYLE = `
  :root { color-scheme: light dark; --ink:#1b2430; --soft:#5c6878; --card:#fff; --ground:#eef1f6; --line:#dde3ec; --go:#0b6b4f; --stop:#a3262f }
  @media (prefers-color-scheme: dark) { :root { --ink:#eef2f7; --soft:#a3afbf; --card:#19212c; --ground:#0e141b; --line:#2c3747; --go:#177a5c; --stop:#e2757d } }
  * { box-sizing: border-box }
  body { margin:0; min-height:100vh; display:grid; place-items:center; padding:1.25rem; background:var(--ground); color:var(--ink); font:1rem/1.5 system-ui,sans-serif }
  main { width:100%; max-width:26rem; background:var(--card); border:1px solid var(--line); border-radius:1rem; overflow:hidden; box-shadow:0 1.25rem 3rem rgb(15 25 40 / .12) }
  .note { margin:0; padding:.6rem 1.5rem; background:#ffe9a8; color:#4a3600; font-size:.875rem; font-weight:600 }
  section { padding:1.5rem }
  h1 { margin:0; font-size:1.0625rem; font-weight:600; overflow-wrap:anywhere }
  .amount { margin:.25rem 0 1.25rem; font-size:2.5rem; line-height:1.15; font-weight:700; letter-spacing:-.02em; font-variant-numeric:tabular-nums; overflow-wrap:anywhere }
  dl { margin:0 0 1.5rem; padding:1rem 0; border-block:1px solid var(--line); display:grid; gap:.5rem }
  dl div { display:flex; justify-content:space-between; gap:1rem }
  dt { color:var(--soft); flex:none }
  dt, dd { font-size:.875rem }
  dd { margin:0; text-align:right; overflow-wrap:anywhere; font-variant-numeric:tabular-nums }
  form { display:grid; gap:.75rem }
  button { font:inherit; font-weight:600; min-height:3rem; border-radius:.625rem; border:1px solid transparent; cursor:pointer }
  .pay { background:var(--go); color:#fff }
  .decline { background:transparent; color:var(--stop); border-color:var(--line) }
  button:hover { filter:brightness(1.08) }
  :focus-visible { outline:3px solid #3b82f6; outline-offset:2px }
  .outcome { display:flex; gap:.75rem; align-items:flex-start; margin:0 }
  .outcome + form { margin-top:1.25rem }
  .mark { flex:none; width:2rem; height:2rem; border-radius:50%; display:grid; place-items:center; color:#fff; font-weight:700 }
  .succeeded .mark { background:var(--go) } .failed .mark, .canceled .mark { background:#a3262f }
  .outcome p { margin:0 } .outcome p + p { color:var(--soft) }
  a { color:inherit }
`;

const OUTCOMES = {
  succeeded: { mark: "✓", title: "Payment received", text: "Your tickets are being issued. You can close this page." },
  failed: { mark: "✕", title: "Payment declined", text: "No money was taken." },
  canceled: { mark: "✕", title: "Payment canceled", text: "No money was taken." },
} as const;

/**
 * The hosted checkout: what is paid for, how much, Pay and Decline. Plain HTML forms, no script. After the decision it
 * shows the outcome instead of the buttons; a declined payment keeps them, because it may still be paid.
 * @param nonce allows the page's one style block under its Content-Security-Policy.
 * @param returnUrl where the payer goes afterwards, if the sandbox was told.
 */
export function renderCheckoutPage(payment: SandboxPayment, nonce: string, returnUrl: string | undefined): Html {
  const amount = formatAmount(payment.paidAmountCents ?? payment.amountCents, payment.currency);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${amount} – ${payment.description}</title>
        <style nonce="${nonce}">
          ${STYLE}
        </style>
      </head>
      <body>
        <main>
          <p class="note">Sandbox: no real money moves here</p>
          <section>
            <h1>${payment.description}</h1>
            <p class="amount">${amount}</p>
            <dl>
              <div>
                <dt>Order</dt>
                <dd>${payment.orderId}</dd>
              </div>
              ${payment.expiresAt === undefined ? "" : renderDeadline(payment.expiresAt)}
            </dl>
            ${payment.status === "requires_action" ? "" : renderOutcome(payment.status, returnUrl)}
            ${payment.status === "requires_action" || payment.status === "failed" ? renderButtons(amount) : ""}
          </section>
        </main>
      </body>
    </html>`;
}

/** A page for a payment that does not exist. */
export function renderUnknownPayment(nonce: string): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Unknown payment</title>
        <style nonce="${nonce}">
          ${STYLE}
        </style>
      </head>
      <body>
        <main>
          <section>
            <h1>Unknown payment</h1>
            <p>The sandbox keeps payments in memory, so it forgets them when it is restarted.</p>
          </section>
        </main>
      </body>
    </html>`;
}

function renderDeadline(expiresAt: string): Html {
  const time = `${expiresAt.slice(0, 10)} ${expiresAt.slice(11, 16)} UTC`;
  return html`<div>
    <dt>Tickets held until</dt>
    <dd><time datetime="${expiresAt}">${time}</time></dd>
  </div>`;
}

function renderButtons(amount: string): Html {
  return html`<form method="post">
    <button class="pay" name="decision" value="pay">Pay ${amount}</button>
    <button class="decline" name="decision" value="decline">Decline</button>
  </form>`;
}

function renderOutcome(status: keyof typeof OUTCOMES, returnUrl: string | undefined): Html {
  const { mark, title, text } = OUTCOMES[status];
  return html`<div class="outcome ${status}" role="status">
    <span class="mark" aria-hidden="true">${mark}</span>
    <div>
      <p><strong>${title}</strong></p>
      <p>${text}</p>
      ${returnUrl === undefined ? "" : html`<p><a href="${returnUrl}">Back to your order</a></p>`}
    </div>
  </div>`;
}
