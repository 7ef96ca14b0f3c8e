import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { formatTicketNumber } from "#domain/ticket-number";
import { drawTicket } from "#domain/ticket-picture";
import { findTicketFace, type TicketFace } from "#storage/ticket-faces";

/** The JSON that a ticket's leaf points at, in the form of the Metaplex token metadata standard. No personal data. */
export interface NftMetadata {
  readonly name: string;
  readonly symbol: string;
  readonly description: string;
  readonly image: string;
  readonly external_url: string;
  readonly attributes: readonly { readonly trait_type: string; readonly value: string }[];
  readonly properties: {
    readonly category: "image";
    readonly files: readonly { readonly uri: string; readonly type: string }[];
  };
}

interface FaceContext {
  readonly db: DrizzleD1Database;
  readonly publicBaseUrl: string;
}

/** @returns the metadata of a ticket of any tenant, or `not_found`. */
export async function findNftMetadata(ctx: FaceContext, ticketId: string): Promise<Result<NftMetadata, Failure>> {
  const face = await findTicketFace(ctx.db, ticketId);
  return face === undefined
    ? refuse({ code: "not_found", what: "ticket" })
    : succeed(presentNftMetadata(face, ctx.publicBaseUrl));
}

/** @returns the picture of a ticket of any tenant as SVG, or `not_found`. */
export async function findNftImage(ctx: Pick<FaceContext, "db">, ticketId: string): Promise<Result<string, Failure>> {
  const face = await findTicketFace(ctx.db, ticketId);
  if (face === undefined) return refuse({ code: "not_found", what: "ticket" });
  return succeed(drawTicket({ ...face, ticketNumber: formatTicketNumber(ticketId) }));
}

/** The metadata of a ticket's face. */
export function presentNftMetadata(face: TicketFace, publicBaseUrl: string): NftMetadata {
  const startsAt = new Date(face.startsAtMs).toISOString();
  const image = `${publicBaseUrl}/nft/${face.ticketId}/image`;
  const number = formatTicketNumber(face.ticketId);
  const venue = face.venueName === null ? [] : [{ trait_type: "Venue", value: face.venueName }];
  return {
    name: `${face.eventName} · ${face.ticketTypeName} · ${number}`,
    symbol: "TICKET",
    description: `${face.ticketTypeName} ticket ${number} for ${face.eventName}, ${startsAt}.`,
    image,
    external_url: `${publicBaseUrl}/api/v1/events/${face.eventId}`,
    attributes: [
      { trait_type: "Event", value: face.eventName },
      { trait_type: "Ticket type", value: face.ticketTypeName },
      { trait_type: "Number", value: number },
      { trait_type: "Starts at", value: startsAt },
      { trait_type: "Timezone", value: face.timezone },
      ...venue,
      { trait_type: "Transferable", value: face.isTransferable ? "yes" : "no" },
    ],
    properties: { category: "image", files: [{ uri: image, type: "image/svg+xml" }] },
  };
}
