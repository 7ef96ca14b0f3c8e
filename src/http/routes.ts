import type { Route } from "./route.ts";
import { deleteBlacklist, getBlacklist, postBlacklist } from "./routes/blacklist/change-blacklist.ts";
import { putCollections } from "./routes/admin/chain-collections.ts";
import { getTrees, postTree } from "./routes/admin/chain-trees.ts";
import { getReservationMetrics } from "./routes/admin/get-reservation-metrics.ts";
import { listOrphans } from "./routes/admin/list-orphans.ts";
import { reconcile } from "./routes/admin/reconcile.ts";
import { challenge } from "./routes/claims/challenge.ts";
import { claim } from "./routes/claims/claim.ts";
import { getGateStats } from "./routes/door/get-gate-stats.ts";
import { preview } from "./routes/door/preview.ts";
import { scan, validateQr } from "./routes/door/scan.ts";
import { showCode } from "./routes/door/show-code.ts";
import { deleteDiscount } from "./routes/discounts/delete-discount.ts";
import { listAllDiscounts } from "./routes/discounts/list-all-discounts.ts";
import { postDiscount } from "./routes/discounts/post-discount.ts";
import { putDiscount } from "./routes/discounts/put-discount.ts";
import { getEvent } from "./routes/events/get-event.ts";
import { postEvent } from "./routes/events/post-event.ts";
import { putEvent } from "./routes/events/put-event.ts";
import { deleteTicketType } from "./routes/ticket-types/delete-ticket-type.ts";
import { getTicketType } from "./routes/ticket-types/get-ticket-type.ts";
import { listTypesOfEvent } from "./routes/ticket-types/list-types-of-event.ts";
import { postTicketType } from "./routes/ticket-types/post-ticket-type.ts";
import { putTicketType } from "./routes/ticket-types/put-ticket-type.ts";
import { listCircuitBreakers, resetCircuitBreakers } from "./routes/health/circuit-breakers.ts";
import { detailed } from "./routes/health/detailed.ts";
import { health, live } from "./routes/health/live.ts";
import { ready } from "./routes/health/ready.ts";
import { getOrderForOperator } from "./routes/internal/get-order-for-operator.ts";
import { getTicketForOperator } from "./routes/internal/get-ticket-for-operator.ts";
import { markOrderPaid } from "./routes/internal/mark-order-paid.ts";
import { getMint } from "./routes/mint/get-mint.ts";
import { getProof } from "./routes/mint/get-proof.ts";
import { listJobs } from "./routes/mint/list-jobs.ts";
import { listBurns } from "./routes/mint/list-burns.ts";
import { listMoves } from "./routes/mint/list-moves.ts";
import { nftImage } from "./routes/mint/nft-image.ts";
import { nftMetadata } from "./routes/mint/nft-metadata.ts";
import { queueJobs } from "./routes/mint/queue-jobs.ts";
import { cancel } from "./routes/orders/cancel.ts";
import { getOrderTickets } from "./routes/orders/get-order-tickets.ts";
import { getOrder } from "./routes/orders/get-order.ts";
import { getRefunds } from "./routes/orders/get-refunds.ts";
import { listAllowedOrders } from "./routes/orders/list-orders.ts";
import { purchase } from "./routes/orders/purchase.ts";
import { quote } from "./routes/orders/quote.ts";
import { markPaidBack } from "./routes/orders/mark-refund-paid.ts";
import { refund } from "./routes/orders/refund.ts";
import { paymentWebhook } from "./routes/payments/payment-webhook.ts";
import { getProblem, listProblems } from "./routes/problems.ts";
import { getReservation } from "./routes/reservations/get-reservation.ts";
import { makeReservation } from "./routes/reservations/make-reservation.ts";
import { release } from "./routes/reservations/release.ts";
import { getTicket } from "./routes/tickets/get-ticket.ts";
import { listOwnTickets } from "./routes/tickets/list-own-tickets.ts";
import { listTicketsOfUser } from "./routes/tickets/list-tickets-of-user.ts";
import { accept } from "./routes/transfers/accept.ts";
import { getTransferHistory, listOwnTransfers } from "./routes/transfers/list-transfers.ts";
import { offer } from "./routes/transfers/offer.ts";
import { cancelOffer, decline } from "./routes/transfers/withdraw.ts";
import { getDeliveries, replay } from "./routes/webhooks/deliveries.ts";
import { enable, getEndpoints, postEndpoint, postEndpointSecret, removeEndpoint } from "./routes/webhooks/endpoints.ts";

/** Every route of the service. What is not in this list does not exist. */
export const ROUTES: readonly Route[] = [
  health,
  live,
  ready,
  detailed,
  listCircuitBreakers,
  resetCircuitBreakers,
  listProblems,
  getProblem,
  getEvent,
  postEvent,
  putEvent,
  deleteTicketType,
  getTicketType,
  listTypesOfEvent,
  postTicketType,
  putTicketType,
  makeReservation,
  getReservation,
  release,
  postDiscount,
  listAllDiscounts,
  putDiscount,
  deleteDiscount,
  quote,
  purchase,
  listAllowedOrders,
  getOrder,
  getOrderTickets,
  cancel,
  refund,
  getRefunds,
  markPaidBack,
  listOwnTickets,
  getTicket,
  listTicketsOfUser,
  challenge,
  claim,
  offer,
  accept,
  decline,
  cancelOffer,
  listOwnTransfers,
  getTransferHistory,
  postBlacklist,
  getBlacklist,
  deleteBlacklist,
  postEndpoint,
  getEndpoints,
  removeEndpoint,
  postEndpointSecret,
  enable,
  getDeliveries,
  replay,
  paymentWebhook,
  getOrderForOperator,
  getTicketForOperator,
  markOrderPaid,
  queueJobs,
  listJobs,
  listMoves,
  listBurns,
  getMint,
  getProof,
  nftMetadata,
  nftImage,
  showCode,
  preview,
  scan,
  validateQr,
  getGateStats,
  getReservationMetrics,
  listOrphans,
  reconcile,
  postTree,
  getTrees,
  putCollections,
];
