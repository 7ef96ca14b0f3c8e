CREATE TABLE `asset_burns` (
	`ticket_id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`status` text NOT NULL,
	`signature` text,
	`wire_base64` text,
	`last_valid_block_height` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`last_error` text,
	`tree_seq` integer,
	`queued_at_ms` integer NOT NULL,
	`updated_at_ms` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "asset_burns_status" CHECK("asset_burns"."status" IN ('QUEUED', 'SUBMITTED', 'BURNT', 'UNMINTED', 'FAILED')),
	CONSTRAINT "asset_burns_submitted_is_signed" CHECK("asset_burns"."status" <> 'SUBMITTED' OR "asset_burns"."signature" IS NOT NULL)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `asset_burns_by_status` ON `asset_burns` (`tenant_id`,`status`,`queued_at_ms`,`ticket_id`);--> statement-breakpoint
CREATE INDEX `asset_burns_at_work` ON `asset_burns` (`updated_at_ms`) WHERE "asset_burns"."status" IN ('QUEUED', 'SUBMITTED');--> statement-breakpoint
CREATE TABLE `asset_moves` (
	`transfer_id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`ticket_id` text NOT NULL,
	`from_address` text,
	`to_address` text,
	`status` text NOT NULL,
	`signature` text,
	`wire_base64` text,
	`last_valid_block_height` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`last_error` text,
	`tree_seq` integer,
	`queued_at_ms` integer NOT NULL,
	`updated_at_ms` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "asset_moves_status" CHECK("asset_moves"."status" IN ('QUEUED', 'SUBMITTED', 'MOVED', 'FAILED'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `asset_moves_by_status` ON `asset_moves` (`tenant_id`,`status`,`queued_at_ms`,`transfer_id`);--> statement-breakpoint
CREATE INDEX `asset_moves_by_ticket` ON `asset_moves` (`ticket_id`,`queued_at_ms`,`transfer_id`);--> statement-breakpoint
CREATE INDEX `asset_moves_at_work` ON `asset_moves` (`updated_at_ms`) WHERE "asset_moves"."status" IN ('QUEUED', 'SUBMITTED');--> statement-breakpoint
CREATE TABLE `discounts` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`code` text NOT NULL,
	`type` text NOT NULL,
	`rule` text NOT NULL,
	`valid_from_ms` integer,
	`valid_until_ms` integer,
	`max_uses` integer,
	`stackable` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`archived_at_ms` integer,
	`updated_at_ms` integer DEFAULT 0 NOT NULL,
	`held_count` integer DEFAULT 0 NOT NULL,
	`used_count` integer DEFAULT 0 NOT NULL,
	`uses_seq` integer DEFAULT 0 NOT NULL,
	`first_held_count` integer DEFAULT 0 NOT NULL,
	`first_used_count` integer DEFAULT 0 NOT NULL,
	`first_seq` integer DEFAULT 0 NOT NULL,
	CONSTRAINT "discounts_type" CHECK("discounts"."type" IN ('percentage', 'fixed', 'bogo', 'early_bird')),
	CONSTRAINT "discounts_window" CHECK("discounts"."valid_from_ms" IS NULL OR "discounts"."valid_until_ms" IS NULL OR "discounts"."valid_until_ms" > "discounts"."valid_from_ms"),
	CONSTRAINT "discounts_rule_is_json" CHECK(json_valid("discounts"."rule"))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `discounts_code` ON `discounts` (`tenant_id`,upper("code")) WHERE "discounts"."archived_at_ms" IS NULL;--> statement-breakpoint
CREATE INDEX `discounts_by_tenant` ON `discounts` (`tenant_id`,`created_at_ms`,`id`) WHERE "discounts"."archived_at_ms" IS NULL;--> statement-breakpoint
CREATE TABLE `events` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`venue_name` text,
	`starts_at_ms` integer NOT NULL,
	`ends_at_ms` integer NOT NULL,
	`timezone` text NOT NULL,
	`currency` text NOT NULL,
	`collection_address` text,
	`frozen_collection_address` text,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	CONSTRAINT "events_end_after_start" CHECK("events"."ends_at_ms" > "events"."starts_at_ms"),
	CONSTRAINT "events_currency_is_iso_4217" CHECK(length("events"."currency") = 3)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`id` text NOT NULL,
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`route` text NOT NULL,
	`body_hash` text NOT NULL,
	`refusal` text,
	`created_at_ms` integer NOT NULL,
	`is_claim` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`created_at_ms`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `idempotency_keys_claimed` ON `idempotency_keys` (`id`) WHERE "idempotency_keys"."is_claim" = 1;--> statement-breakpoint
CREATE TABLE `merkle_trees` (
	`address` text PRIMARY KEY NOT NULL,
	`depth` integer NOT NULL,
	`buffer_size` integer NOT NULL,
	`canopy_depth` integer NOT NULL,
	`seq` integer NOT NULL,
	`slot` integer NOT NULL,
	`passed_signature` text,
	`updated_at_ms` integer NOT NULL,
	CONSTRAINT "merkle_trees_depth" CHECK("merkle_trees"."depth" BETWEEN 1 AND 30),
	CONSTRAINT "merkle_trees_seq" CHECK("merkle_trees"."seq" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `mint_jobs` (
	`ticket_id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`event_id` text NOT NULL,
	`status` text NOT NULL,
	`signature` text,
	`wire_base64` text,
	`last_valid_block_height` integer,
	`tree_address` text,
	`collection_address` text,
	`asset_id` text,
	`leaf_index` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`last_error` text,
	`queued_at_ms` integer NOT NULL,
	`minted_at_ms` integer,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`event_id`) REFERENCES `events`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "mint_jobs_status" CHECK("mint_jobs"."status" IN ('QUEUED', 'SUBMITTED', 'MINTED', 'FAILED')),
	CONSTRAINT "mint_jobs_minted_has_asset" CHECK("mint_jobs"."status" <> 'MINTED' OR ("mint_jobs"."asset_id" IS NOT NULL AND "mint_jobs"."signature" IS NOT NULL))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `mint_jobs_by_asset` ON `mint_jobs` (`asset_id`) WHERE "mint_jobs"."asset_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `mint_jobs_by_status` ON `mint_jobs` (`tenant_id`,`status`,`queued_at_ms`,`ticket_id`);--> statement-breakpoint
CREATE INDEX `mint_jobs_at_work` ON `mint_jobs` (`updated_at_ms`) WHERE "mint_jobs"."status" IN ('QUEUED', 'SUBMITTED');--> statement-breakpoint
CREATE TABLE `order_discounts` (
	`order_id` text NOT NULL,
	`line_number` integer NOT NULL,
	`discount_id` text NOT NULL,
	`tenant_id` text NOT NULL,
	`amount_cents` integer NOT NULL,
	PRIMARY KEY(`order_id`, `line_number`, `discount_id`),
	FOREIGN KEY (`discount_id`) REFERENCES `discounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`order_id`,`line_number`) REFERENCES `order_items`(`order_id`,`line_number`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "order_discounts_amount" CHECK("order_discounts"."amount_cents" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `order_items` (
	`order_id` text NOT NULL,
	`line_number` integer NOT NULL,
	`tenant_id` text NOT NULL,
	`ticket_type_id` text NOT NULL,
	`name` text NOT NULL,
	`quantity` integer NOT NULL,
	`unit_price_cents` integer NOT NULL,
	`discount_cents` integer NOT NULL,
	`fee_cents` integer NOT NULL,
	`tax_cents` integer NOT NULL,
	`total_cents` integer NOT NULL,
	PRIMARY KEY(`order_id`, `line_number`),
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`ticket_type_id`) REFERENCES `ticket_types`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "order_items_quantity" CHECK("order_items"."quantity" >= 1),
	CONSTRAINT "order_items_total_is_sum" CHECK("order_items"."total_cents" = "order_items"."unit_price_cents" * "order_items"."quantity" - "order_items"."discount_cents" + "order_items"."fee_cents")
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `order_number_leases` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`next_block` integer NOT NULL,
	`shuffle_key` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `orders` (
	`id` text NOT NULL,
	`tenant_id` text NOT NULL,
	`order_number` text NOT NULL,
	`user_id` text NOT NULL,
	`event_id` text NOT NULL,
	`status` text NOT NULL,
	`status_rank` integer GENERATED ALWAYS AS ((CASE "status" WHEN 'PENDING' THEN 0 WHEN 'PAYMENT_FAILED' THEN 1 WHEN 'EXPIRED' THEN 2 WHEN 'CANCELLED' THEN 3 WHEN 'PAID' THEN 4 WHEN 'AWAITING_MINT' THEN 5 WHEN 'MINT_FAILED' THEN 6 WHEN 'COMPLETED' THEN 7 WHEN 'REFUNDED' THEN 8 END)) VIRTUAL,
	`currency` text NOT NULL,
	`subtotal_cents` integer NOT NULL,
	`discount_cents` integer NOT NULL,
	`fee_cents` integer NOT NULL,
	`tax_cents` integer NOT NULL,
	`total_cents` integer NOT NULL,
	`refunded_cents` integer DEFAULT 0 NOT NULL,
	`line_count` integer DEFAULT 0 NOT NULL,
	`reservation_id` text NOT NULL,
	`hold_expires_at_ms` integer NOT NULL,
	`wallet_address` text,
	`created_at_ms` integer NOT NULL,
	`paid_at_ms` integer,
	`seq` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `created_at_ms`, `id`),
	FOREIGN KEY (`event_id`) REFERENCES `events`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "orders_status" CHECK("orders"."status" IN ('PENDING', 'PAYMENT_FAILED', 'EXPIRED', 'CANCELLED', 'PAID', 'AWAITING_MINT', 'MINT_FAILED', 'COMPLETED', 'REFUNDED')),
	CONSTRAINT "orders_total_is_sum" CHECK("orders"."total_cents" = "orders"."subtotal_cents" - "orders"."discount_cents" + "orders"."fee_cents"),
	CONSTRAINT "orders_money_not_negative" CHECK("orders"."total_cents" >= 0 AND "orders"."discount_cents" >= 0 AND "orders"."fee_cents" >= 0 AND "orders"."tax_cents" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `orders_id` ON `orders` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `orders_number` ON `orders` (`tenant_id`,`order_number`);--> statement-breakpoint
CREATE INDEX `orders_by_user` ON `orders` (`user_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `orders_unpaid` ON `orders` (`hold_expires_at_ms`) WHERE "orders"."status" IN ('PENDING', 'PAYMENT_FAILED');--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`tenant_id` text NOT NULL,
	`topic` text NOT NULL,
	`body` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`next_attempt_at_ms` integer NOT NULL,
	CONSTRAINT "outbox_body_is_json" CHECK(json_valid("outbox"."body"))
);
--> statement-breakpoint
CREATE INDEX `outbox_due` ON `outbox` (`next_attempt_at_ms`);--> statement-breakpoint
CREATE TABLE `payment_events` (
	`provider` text NOT NULL,
	`event_id` text NOT NULL,
	`tenant_id` text,
	`order_id` text,
	`type` text NOT NULL,
	`raw_type` text,
	`outcome` text NOT NULL,
	`attempts` integer NOT NULL,
	`occurred_at_ms` integer NOT NULL,
	`received_at_ms` integer NOT NULL,
	`seq` integer NOT NULL,
	PRIMARY KEY(`provider`, `event_id`),
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "payment_events_outcome" CHECK("payment_events"."outcome" IN ('recorded', 'applied', 'ignored', 'rejected'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `payments` (
	`provider` text NOT NULL,
	`payment_id` text NOT NULL,
	`tenant_id` text NOT NULL,
	`order_id` text NOT NULL,
	`status` text NOT NULL,
	`amount_cents` integer NOT NULL,
	`currency` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`seq` integer NOT NULL,
	`checks` integer DEFAULT 0 NOT NULL,
	`next_check_at_ms` integer,
	PRIMARY KEY(`created_at_ms`, `order_id`, `provider`, `payment_id`),
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "payments_status" CHECK("payments"."status" IN ('REQUIRES_ACTION', 'SUCCEEDED', 'FAILED', 'CANCELED', 'REFUNDED', 'DISPUTED')),
	CONSTRAINT "payments_amount" CHECK("payments"."amount_cents" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `payments_to_check` ON `payments` (`next_check_at_ms`) WHERE "payments"."next_check_at_ms" IS NOT NULL;--> statement-breakpoint
CREATE TABLE `qr_codes` (
	`ticket_id` text NOT NULL,
	`user_id` text NOT NULL,
	`credential_epoch` integer NOT NULL,
	`tenant_id` text NOT NULL,
	`first_issued_at_ms` integer NOT NULL,
	PRIMARY KEY(`ticket_id`, `user_id`, `credential_epoch`),
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `refunds` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`order_id` text NOT NULL,
	`provider` text NOT NULL,
	`payment_id` text NOT NULL,
	`provider_refund_id` text,
	`status` text NOT NULL,
	`amount_cents` integer NOT NULL,
	`currency` text NOT NULL,
	`reason` text NOT NULL,
	`note` text,
	`ticket_ids` text DEFAULT '[]' NOT NULL,
	`settled_by` text,
	`checks` integer DEFAULT 0 NOT NULL,
	`next_check_at_ms` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`seq` integer NOT NULL,
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "refunds_status" CHECK("refunds"."status" IN ('created', 'submitted', 'succeeded', 'failed')),
	CONSTRAINT "refunds_amount" CHECK("refunds"."amount_cents" > 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `refunds_by_order` ON `refunds` (`order_id`);--> statement-breakpoint
CREATE INDEX `refunds_to_check` ON `refunds` (`next_check_at_ms`) WHERE "refunds"."status" = 'submitted';--> statement-breakpoint
CREATE INDEX `refunds_not_asked_for` ON `refunds` (`created_at_ms`) WHERE "refunds"."status" = 'created';--> statement-breakpoint
CREATE TABLE `reservation_history` (
	`ticket_type_id` text NOT NULL,
	`seq` integer NOT NULL,
	`tenant_id` text NOT NULL,
	`reservation_id` text NOT NULL,
	`status` text NOT NULL,
	`quantity` integer NOT NULL,
	`actor` text NOT NULL,
	`cause` text NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`ticket_type_id`, `seq`),
	FOREIGN KEY (`ticket_type_id`) REFERENCES `ticket_types`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "reservation_history_status" CHECK("reservation_history"."status" IN ('PENDING', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'EXPIRED'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `reservations` (
	`id` text NOT NULL,
	`ticket_type_id` text NOT NULL,
	`tenant_id` text NOT NULL,
	`event_id` text NOT NULL,
	`user_id` text NOT NULL,
	`quantity` integer NOT NULL,
	`status` text NOT NULL,
	`order_id` text,
	`expires_at_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`seq` integer NOT NULL,
	`restocked_quantity` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`ticket_type_id`, `created_at_ms`, `id`),
	FOREIGN KEY (`ticket_type_id`) REFERENCES `ticket_types`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`event_id`) REFERENCES `events`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "reservations_status" CHECK("reservations"."status" IN ('PENDING', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'EXPIRED')),
	CONSTRAINT "reservations_quantity" CHECK("reservations"."quantity" >= 1)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `reservations_open` ON `reservations` (`expires_at_ms`) WHERE "reservations"."status" = 'ACTIVE';--> statement-breakpoint
CREATE TABLE `tenant_trees` (
	`address` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`number` integer NOT NULL,
	`depth` integer NOT NULL,
	`buffer_size` integer NOT NULL,
	`canopy_depth` integer NOT NULL,
	`capacity` integer NOT NULL,
	`minted_count` integer DEFAULT 0 NOT NULL,
	`status` text NOT NULL,
	`request_id` text,
	`last_error` text,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`lookup_table_address` text,
	CONSTRAINT "tenant_trees_status" CHECK("tenant_trees"."status" IN ('OPENING', 'OPEN', 'ACTIVE', 'FULL')),
	CONSTRAINT "tenant_trees_capacity" CHECK("tenant_trees"."depth" BETWEEN 1 AND 30 AND "tenant_trees"."capacity" = 1 << "tenant_trees"."depth"),
	CONSTRAINT "tenant_trees_minted" CHECK("tenant_trees"."minted_count" BETWEEN 0 AND "tenant_trees"."capacity"),
	CONSTRAINT "tenant_trees_number_is_positive" CHECK("tenant_trees"."number" >= 1)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `tenant_trees_number` ON `tenant_trees` (`tenant_id`,`number`);--> statement-breakpoint
CREATE UNIQUE INDEX `tenant_trees_request` ON `tenant_trees` (`request_id`) WHERE "tenant_trees"."request_id" IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `tenant_trees_one_active` ON `tenant_trees` (`tenant_id`) WHERE "tenant_trees"."status" = 'ACTIVE';--> statement-breakpoint
CREATE INDEX `tenant_trees_opening` ON `tenant_trees` (`updated_at_ms`) WHERE "tenant_trees"."status" = 'OPENING';--> statement-breakpoint
CREATE INDEX `tenant_trees_filling` ON `tenant_trees` (`tenant_id`) WHERE "tenant_trees"."status" = 'ACTIVE' AND "tenant_trees"."minted_count" * 5 >= "tenant_trees"."capacity" * 4;--> statement-breakpoint
CREATE TABLE `ticket_transfers` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`ticket_id` text NOT NULL,
	`from_user_id` text NOT NULL,
	`to_user_id` text,
	`to_email` text,
	`status` text NOT NULL,
	`claimed_by_user_id` text,
	`claimed_at_ms` integer,
	`wallet_address` text,
	`cause` text,
	`expires_at_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`settled_at_ms` integer,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "ticket_transfers_status" CHECK("ticket_transfers"."status" IN ('PENDING', 'ACCEPTED', 'DECLINED', 'CANCELLED', 'EXPIRED')),
	CONSTRAINT "ticket_transfers_one_recipient" CHECK(("ticket_transfers"."to_user_id" IS NULL) <> ("ticket_transfers"."to_email" IS NULL))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `ticket_transfers_one_open` ON `ticket_transfers` (`ticket_id`) WHERE "ticket_transfers"."status" = 'PENDING';--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_sender` ON `ticket_transfers` (`tenant_id`,`from_user_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_recipient` ON `ticket_transfers` (`tenant_id`,`to_user_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_fingerprint` ON `ticket_transfers` (`tenant_id`,`to_email`,`created_at_ms`,`id`) WHERE "ticket_transfers"."to_email" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_ticket` ON `ticket_transfers` (`ticket_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `ticket_transfers_due` ON `ticket_transfers` (`expires_at_ms`) WHERE "ticket_transfers"."status" = 'PENDING' AND "ticket_transfers"."claimed_at_ms" IS NULL;--> statement-breakpoint
CREATE INDEX `ticket_transfers_claimed` ON `ticket_transfers` (`claimed_at_ms`) WHERE "ticket_transfers"."status" = 'PENDING' AND "ticket_transfers"."claimed_at_ms" IS NOT NULL;--> statement-breakpoint
CREATE TABLE `ticket_types` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`event_id` text NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`price_cents` integer NOT NULL,
	`quantity` integer NOT NULL,
	`sale_starts_at_ms` integer,
	`sale_ends_at_ms` integer,
	`min_per_order` integer NOT NULL,
	`max_per_order` integer NOT NULL,
	`max_per_user` integer,
	`reservation_ttl_seconds` integer NOT NULL,
	`transferable` integer NOT NULL,
	`fee_cents` integer NOT NULL,
	`tax_rate_bps` integer NOT NULL,
	`status` text NOT NULL,
	`held_count` integer DEFAULT 0 NOT NULL,
	`sold_count` integer DEFAULT 0 NOT NULL,
	`counters_seq` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`event_id`) REFERENCES `events`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "ticket_types_status" CHECK("ticket_types"."status" IN ('ACTIVE', 'ARCHIVED')),
	CONSTRAINT "ticket_types_never_oversold" CHECK("ticket_types"."held_count" >= 0 AND "ticket_types"."sold_count" >= 0 AND "ticket_types"."sold_count" <= "ticket_types"."quantity"),
	CONSTRAINT "ticket_types_money" CHECK("ticket_types"."price_cents" >= 0 AND "ticket_types"."fee_cents" >= 0 AND "ticket_types"."tax_rate_bps" BETWEEN 0 AND 10000),
	CONSTRAINT "ticket_types_per_order" CHECK("ticket_types"."min_per_order" >= 1 AND "ticket_types"."max_per_order" >= "ticket_types"."min_per_order"),
	CONSTRAINT "ticket_types_ttl" CHECK("ticket_types"."reservation_ttl_seconds" BETWEEN 5 AND 3600)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `ticket_types_event_number` ON `ticket_types` (`event_id`,`number`);--> statement-breakpoint
CREATE UNIQUE INDEX `ticket_types_by_tenant` ON `ticket_types` (`tenant_id`,`id`);--> statement-breakpoint
CREATE TABLE `ticket_validations` (
	`event_id` text NOT NULL,
	`seq` integer NOT NULL,
	`tenant_id` text NOT NULL,
	`ticket_id` text,
	`list_id` text,
	`type` text NOT NULL,
	`result` text NOT NULL,
	`reason` text,
	`scanned_by` text NOT NULL,
	`nonce` text,
	`forced` integer NOT NULL,
	`scanned_at_ms` integer NOT NULL,
	`received_at_ms` integer NOT NULL,
	PRIMARY KEY(`event_id`, `seq`),
	FOREIGN KEY (`event_id`) REFERENCES `events`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "ticket_validations_type" CHECK("ticket_validations"."type" IN ('entry', 'exit')),
	CONSTRAINT "ticket_validations_result" CHECK("ticket_validations"."result" IN ('admitted', 'refused'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tickets` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`event_id` text NOT NULL,
	`ticket_type_id` text NOT NULL,
	`order_id` text NOT NULL,
	`owner_user_id` text NOT NULL,
	`status` text NOT NULL,
	`credential_epoch` integer NOT NULL,
	`admitted_at_ms` integer,
	`wallet_address` text,
	`held_by_address` text,
	`held_since_ms` integer,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`event_id`) REFERENCES `events`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`ticket_type_id`) REFERENCES `ticket_types`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "tickets_status" CHECK("tickets"."status" IN ('AVAILABLE', 'RESERVED', 'SOLD', 'TRANSFERRED', 'USED', 'CANCELLED', 'EXPIRED')),
	CONSTRAINT "tickets_epoch" CHECK("tickets"."credential_epoch" BETWEEN 0 AND 65535)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `tickets_by_owner` ON `tickets` (`tenant_id`,`owner_user_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE TABLE `tree_leaves` (
	`tree_address` text NOT NULL,
	`leaf_index` integer NOT NULL,
	`asset_id` text NOT NULL,
	`owner_address` text NOT NULL,
	`delegate_address` text NOT NULL,
	`data_hash` text NOT NULL,
	`creator_hash` text NOT NULL,
	`collection_hash` text NOT NULL,
	`asset_data_hash` text NOT NULL,
	`flags` integer NOT NULL,
	`is_burnt` integer NOT NULL,
	`seq` integer NOT NULL,
	`signature` text NOT NULL,
	`news_at_ms` integer DEFAULT 0,
	PRIMARY KEY(`tree_address`, `leaf_index`),
	FOREIGN KEY (`tree_address`) REFERENCES `merkle_trees`(`address`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `tree_leaves_by_asset` ON `tree_leaves` (`asset_id`);--> statement-breakpoint
CREATE INDEX `tree_leaves_news` ON `tree_leaves` (`news_at_ms`) WHERE "tree_leaves"."news_at_ms" IS NOT NULL;--> statement-breakpoint
CREATE TABLE `tree_nodes` (
	`tree_address` text NOT NULL,
	`place` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`tree_address`, `place`),
	FOREIGN KEY (`tree_address`) REFERENCES `merkle_trees`(`address`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `undelivered_cursors` (
	`provider` text PRIMARY KEY NOT NULL,
	`since_ms` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `user_blacklists` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`reason` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	PRIMARY KEY(`tenant_id`, `user_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `user_blacklists_by_time` ON `user_blacklists` (`tenant_id`,`created_at_ms`,`user_id`);--> statement-breakpoint
CREATE TABLE `wallet_claims` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`ticket_id` text NOT NULL,
	`user_id` text NOT NULL,
	`wallet_address` text NOT NULL,
	`issued_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`claimed_at_ms` integer,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `wallet_claims_one_open` ON `wallet_claims` (`ticket_id`,`user_id`) WHERE "wallet_claims"."claimed_at_ms" IS NULL;--> statement-breakpoint
CREATE INDEX `wallet_claims_by_expiry` ON `wallet_claims` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `webhook_deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`endpoint_id` text NOT NULL,
	`event_id` text NOT NULL,
	`event_type` text NOT NULL,
	`body` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`failures` integer DEFAULT 0 NOT NULL,
	`next_attempt_at_ms` integer,
	`last_attempt_at_ms` integer,
	`last_status` integer,
	`last_error` text,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`endpoint_id`) REFERENCES `webhook_endpoints`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "webhook_deliveries_status" CHECK("webhook_deliveries"."status" IN ('PENDING', 'SUCCEEDED', 'FAILED')),
	CONSTRAINT "webhook_deliveries_pending_has_time" CHECK(("webhook_deliveries"."status" = 'PENDING') = ("webhook_deliveries"."next_attempt_at_ms" IS NOT NULL))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `webhook_deliveries_by_endpoint` ON `webhook_deliveries` (`endpoint_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_due` ON `webhook_deliveries` (`endpoint_id`,`next_attempt_at_ms`) WHERE "webhook_deliveries"."status" = 'PENDING';--> statement-breakpoint
CREATE INDEX `webhook_deliveries_by_age` ON `webhook_deliveries` (`created_at_ms`);--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`url` text NOT NULL,
	`description` text,
	`event_types` text NOT NULL,
	`sealed_secret` text NOT NULL,
	`previous_sealed_secret` text,
	`previous_until_ms` integer,
	`sealed_with` integer NOT NULL,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`ended_at_ms` integer,
	`failing_since_ms` integer,
	`due_at_ms` integer,
	`leased_until_ms` integer DEFAULT 0 NOT NULL,
	`rests_until_ms` integer DEFAULT 0 NOT NULL,
	CONSTRAINT "webhook_endpoints_status" CHECK("webhook_endpoints"."status" IN ('ACTIVE', 'DISABLED', 'DELETED')),
	CONSTRAINT "webhook_endpoints_event_types_are_json" CHECK(json_valid("webhook_endpoints"."event_types"))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `webhook_endpoints_by_tenant` ON `webhook_endpoints` (`tenant_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `webhook_endpoints_due` ON `webhook_endpoints` (`due_at_ms`) WHERE "webhook_endpoints"."status" = 'ACTIVE' AND "webhook_endpoints"."due_at_ms" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `webhook_endpoints_by_key` ON `webhook_endpoints` (`sealed_with`);--> statement-breakpoint
CREATE INDEX `webhook_endpoints_deleted` ON `webhook_endpoints` (`ended_at_ms`) WHERE "webhook_endpoints"."status" = 'DELETED';--> statement-breakpoint
CREATE TABLE `webhook_nonces` (
	`provider` text NOT NULL,
	`webhook_id` text NOT NULL,
	`received_at_ms` integer NOT NULL,
	PRIMARY KEY(`received_at_ms`, `provider`, `webhook_id`)
) WITHOUT ROWID;
--> statement-breakpoint
-- An order in D1 is the sum of its lines, or it is not there: the line that completes it is refused, and its transaction with it.
CREATE TRIGGER order_is_sum_of_lines AFTER INSERT ON order_items
WHEN NEW.line_number = (SELECT line_count FROM orders WHERE id = NEW.order_id)
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: order_is_sum_of_lines') WHERE NOT EXISTS (
    SELECT 1 FROM orders WHERE id = NEW.order_id AND (subtotal_cents, discount_cents, fee_cents, tax_cents, total_cents) = (
      SELECT SUM(unit_price_cents * quantity), SUM(discount_cents), SUM(fee_cents), SUM(tax_cents), SUM(total_cents)
      FROM order_items WHERE order_id = NEW.order_id));
END;
