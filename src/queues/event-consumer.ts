import { parseEventMessage } from "#domain/webhook-delivery";
import { announceEvents, type AnnouncementContext } from "#services/webhook/announce-events";
import { deliverEvents, type DeliveryContext } from "#services/webhook/deliver-events";

/** What the consumer of outgoing events may reach. */
export interface EventConsumerContext extends AnnouncementContext, DeliveryContext {}

/** An invocation may wait for six answers at a time; a seventh request would wait for one of them, and its time-out would run. */
const CONNECTIONS = 6;

/**
 * Consumer of the queue `events`. Each message is answered by itself, and the invocation's connections are shared out among them,
 * so that an endpoint that answers slowly holds up none of the others. What fails comes back, and from D1 each minute.
 */
export async function consumeEventMessages(ctx: EventConsumerContext, batch: MessageBatch): Promise<void> {
  const parallel = Math.max(1, Math.floor(CONNECTIONS / batch.messages.length));
  await Promise.all(
    batch.messages.map(async (message) => {
      const body = parseEventMessage(message.body);
      try {
        if (body === undefined) ctx.logger.error("unreadable event message dropped", { messageId: message.id });
        else if (body.endpointId === null) await announceEvents(ctx);
        else await deliverEvents(ctx, body.endpointId, parallel);
        message.ack();
      } catch (error) {
        ctx.logger.warn("sending events failed", { endpointId: body?.endpointId, attempts: message.attempts, error });
        message.retry();
      }
    }),
  );
}
