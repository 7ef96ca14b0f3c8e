import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findTicketFace, type TicketFace } from "#storage/ticket-faces";

/** The JSON that a ticket's leaf points at, in the form of the Metaplex token metadata standard. No personal data. */
export interface NftMetadata {
  readonly name: string;
  readonly symbol: string;
  readonly description: string;
  /** An SVG as a `data:` URL, so that the metadata needs no second request and no second route. */
  readonly image: string;
  readonly attributes: readonly { readonly trait_type: string; readonly value: string }[];
  readonly properties: {
    readonly category: "image";
    readonly files: readonly { readonly uri: string; readonly type: string }[];
  };
}

/** @returns the metadata of a ticket of any tenant, or `not_found`. */
export async function findNftMetadata(
  ctx: { readonly db: DrizzleD1Database },
  ticketId: string,
): Promise<Result<NftMetadata, Failure>> {
  const face = await findTicketFace(ctx.db, ticketId);
  return face === undefined ? refuse({ code: "not_found", what: "ticket" }) : succeed(presentNftMetadata(face));
}

/** The metadata of a ticket's face. */
export function presentNftMetadata(face: TicketFace): NftMetadata {
  const startsAt = new Date(face.startsAtMs).toISOString();
  const image = `data:image/svg+xml,${encodeURIComponent(drawTicket(face, startsAt))}`;
  const venue = face.venueName === null ? [] : [{ trait_type: "Venue", value: face.venueName }];
  return {
    name: `${face.eventName} · ${face.ticketTypeName}`,
    symbol: "TICKET",
    description: `${face.ticketTypeName} ticket for ${face.eventName}, ${startsAt}.`,
    image,
    attributes: [
      { trait_type: "Event", value: face.eventName },
      { trait_type: "Ticket type", value: face.ticketTypeName },
      { trait_type: "Starts at", value: startsAt },
      { trait_type: "Timezone", value: face.timezone },
      ...venue,
    ],
    properties: { category: "image", files: [{ uri: image, type: "image/svg+xml" }] },
  };
}

/** A plain picture in words. Organisers write these words, so each is escaped. */
function drawTicket(face: TicketFace, startsAt: string): string {
  const lines = [face.eventName, face.ticketTypeName, face.venueName ?? "", startsAt.slice(0, 10)];
  const texts = lines.map(
    (line, index) => `<text x="24" y="${72 + index * 48}" font-size="${index === 0 ? 32 : 22}">${escapeXml(line)}</text>`,
  );
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 260" font-family="sans-serif">',
    '<rect width="600" height="260" rx="20" fill="#f4f1ea"/>',
    '<path d="M450 0v260" stroke="#333" stroke-dasharray="6 8"/>',
    ...texts,
    "</svg>",
  ].join("");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
