import { z } from "@hono/zod-openapi";
import { MOST_TICKETS_A_TREE } from "#domain/tree-shape";
import { TREE_STATUSES } from "#domain/statuses";
import { addTree } from "#services/trees/add-tree";
import { listTrees, toTreeView, type TreeView } from "#services/trees/list-trees";
import { defineRoute } from "../../route.ts";
import { accountAddress, json, presentTime, REPLAYED } from "../../schemas.ts";

const count = z.int().min(0);

const treeShape = z
  .object({
    address: z.string(),
    number: z.int().min(1),
    status: z.enum(TREE_STATUSES).openapi({
      description: "OPENING: being made. OPEN: waits for its turn. ACTIVE: minted into. FULL: done with.",
    }),
    depth: count,
    bufferSize: count,
    canopyDepth: count,
    capacity: count,
    mintedCount: count.openapi({ description: "Leaves known to be taken; the chain may be ahead" }),
    lookupTableAddress: z.string().nullable().openapi({
      description: "Address lookup table with what every mint into the tree names, so that five share a transaction",
    }),
    lastError: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("Tree");

function presentTree({ createdAtMs, ...tree }: TreeView): z.input<typeof treeShape> {
  return { ...tree, createdAt: presentTime(createdAtMs) };
}

export const postTree = defineRoute({
  method: "post",
  path: "/admin/chain/trees",
  summary: "Add a tree that tickets are minted into: one that exists, or a new one that the minting wallet makes and pays",
  who: "O",
  tier: "write",
  needsIdempotencyKey: true,
  body: z
    .strictObject({
      address: accountAddress.optional().openapi({ description: "Left out, a new tree is made" }),
      lookupTableAddress: accountAddress
        .optional()
        .openapi({ description: "Of the tree named; a new tree gets one by itself" }),
      expectedTickets: z.int().min(1).max(MOST_TICKETS_A_TREE).optional(),
    })
    .refine((body) => Object.keys(body).length > 0, "name a tree, or how many tickets to expect")
    .refine((body) => body.lookupTableAddress === undefined || body.address !== undefined, "name the table's tree"),
  answers: { 202: { description: "The tree; a new one is OPENING until it is on chain", schema: treeShape } },
  async handle({ ctx, body, identify }) {
    const { address = null, lookupTableAddress = null, expectedTickets: ticketCount = 1 } = body;
    const wanted = { address, lookupTableAddress, ticketCount };
    const added = await addTree(ctx, { request: identify(), wanted });
    if (!added.ok) return added.failure;
    return json(presentTree(toTreeView(added.value.tree)), 202, added.value.replayed ? REPLAYED : {});
  },
});

export const getTrees = defineRoute({
  method: "get",
  path: "/admin/chain/trees",
  summary: "The tenant's trees, the first first; none means that tickets are minted into the tree of the configuration",
  who: "O",
  tier: "read",
  answers: { 200: { description: "All of them", schema: z.object({ items: z.array(treeShape) }) } },
  async handle({ ctx }) {
    return json({ items: (await listTrees(ctx)).map(presentTree) });
  },
});
