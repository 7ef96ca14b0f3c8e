import { z } from "@hono/zod-openapi";
import { PROBLEMS } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { json } from "../schemas.ts";

const kind = z.object({ type: z.string(), code: z.string(), status: z.int(), title: z.string() });

function listKinds(): z.input<typeof kind>[] {
  return Object.entries(PROBLEMS).map(([code, { status, title }]) => ({ type: `/problems/${code}`, code, status, title }));
}

export const listProblems = defineRoute({
  method: "get",
  path: "/problems",
  summary: "Every problem code of the service",
  who: "P",
  tier: "read",
  answers: { 200: { description: "All codes", schema: z.object({ items: z.array(kind) }) } },
  handle: () => json({ items: listKinds() }),
});

export const getProblem = defineRoute({
  method: "get",
  path: "/problems/{code}",
  summary: "One problem code",
  who: "P",
  tier: "read",
  params: z.object({ code: z.string().max(64) }),
  answers: { 200: { description: "The code", schema: kind } },
  handle({ params }) {
    const found = listKinds().find(({ code }) => code === params.code);
    return found ? json(found) : { code: "not_found", what: "problem code" };
  },
});
