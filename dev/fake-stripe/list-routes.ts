import { requireSecret, type AddRoute } from "./api-route.ts";
import type { EventFeed } from "./event-feed.ts";
import { textOf, textsOf, type FormFields } from "./form-body.ts";
import { invalidParam, missing } from "./stripe-error.ts";
import type { StripeLedger } from "./stripe-ledger.ts";

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;
const MAX_TYPES = 20;

interface Page<Item> {
  readonly object: "list";
  readonly data: readonly Item[];
  readonly has_more: boolean;
  readonly url: string;
}

/** Lists, each newest first, and what is read by its id. */
export function addListRoutes(add: AddRoute, ledger: StripeLedger, feed: EventFeed): void {
  const list = (path: string, read: (fields: FormFields) => readonly { readonly id: string }[]): void => {
    add("GET", path, ({ isSecret, fields }) => {
      requireSecret(isSecret);
      return cutPage(path, read(fields), fields);
    });
  };
  const find = (path: string, read: (id: string) => unknown): void => {
    add("GET", path, ({ isSecret, id }) => {
      requireSecret(isSecret);
      return read(id);
    });
  };
  list("/v1/refunds", (fields) => ledger.listRefunds(textOf(fields, "payment_intent")));
  list("/v1/disputes", (fields) => ledger.listDisputes(textOf(fields, "charge")));
  list("/v1/events", (fields) => feed.list(readFilter(fields)));
  find("/v1/refunds/:id", (id) => ledger.findRefund(id));
  find("/v1/disputes/:id", (id) => ledger.findDispute(id));
  find("/v1/events/:id", (id) => {
    const event = feed.find(id);
    if (event === undefined) throw missing("event", id);
    return event;
  });
}

function readFilter(fields: FormFields): Parameters<EventFeed["list"]>[0] {
  const types = [...Object.values(textsOf(fields, "types")), textOf(fields, "type") ?? []].flat();
  if (types.length > MAX_TYPES) throw invalidParam("types", "Name at most 20 types.");
  const { gte, gt } = textsOf(fields, "created");
  const from = gt === undefined ? Number(gte ?? 0) : Number(gt) + 1;
  if (!Number.isSafeInteger(from)) throw invalidParam("created", "Invalid timestamp.");
  return { isUndelivered: textOf(fields, "delivery_success") === "false", types, createdFromSeconds: from };
}

/** `limit` items after the one named in `starting_after`. */
function cutPage<Item extends { readonly id: string }>(url: string, items: readonly Item[], fields: FormFields): Page<Item> {
  const limit = Number(textOf(fields, "limit") ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) throw invalidParam("limit", "Limit is 1 to 100.");
  const after = textOf(fields, "starting_after");
  const at = after === undefined ? -1 : items.findIndex(({ id }) => id === after);
  if (after !== undefined && at === -1) throw missing("object", after, "starting_after");
  const data = items.slice(at + 1, at + 1 + limit);
  return { object: "list", data, has_more: at + 1 + limit < items.length, url };
}
