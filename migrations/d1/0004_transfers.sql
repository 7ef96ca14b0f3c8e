CREATE TABLE `asset_moves` (
	`transfer_id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`ticket_id` text NOT NULL,
	`from_address` text,
	`to_address` text,
	`status` text NOT NULL,
	`queued_at_ms` integer NOT NULL,
	FOREIGN KEY (`transfer_id`) REFERENCES `ticket_transfers`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`ticket_id`) REFERENCES `tickets`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "asset_moves_status" CHECK("asset_moves"."status" IN ('QUEUED', 'SUBMITTED', 'MOVED', 'FAILED'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `asset_moves_by_status` ON `asset_moves` (`tenant_id`,`status`,`queued_at_ms`,`transfer_id`);--> statement-breakpoint
ALTER TABLE `idempotency_keys` ADD `refusal` text;--> statement-breakpoint
ALTER TABLE `ticket_transfers` ADD `claimed_by_user_id` text;--> statement-breakpoint
ALTER TABLE `ticket_transfers` ADD `claimed_at_ms` integer;--> statement-breakpoint
ALTER TABLE `ticket_transfers` ADD `wallet_address` text;--> statement-breakpoint
ALTER TABLE `ticket_transfers` ADD `cause` text;--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_sender` ON `ticket_transfers` (`tenant_id`,`from_user_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_recipient` ON `ticket_transfers` (`tenant_id`,`to_user_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_fingerprint` ON `ticket_transfers` (`tenant_id`,`to_email`,`created_at_ms`,`id`) WHERE "ticket_transfers"."to_email" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ticket_transfers_by_ticket` ON `ticket_transfers` (`ticket_id`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `ticket_transfers_due` ON `ticket_transfers` (`expires_at_ms`) WHERE "ticket_transfers"."status" = 'PENDING' AND "ticket_transfers"."claimed_at_ms" IS NULL;--> statement-breakpoint
CREATE INDEX `ticket_transfers_claimed` ON `ticket_transfers` (`claimed_at_ms`) WHERE "ticket_transfers"."status" = 'PENDING' AND "ticket_transfers"."claimed_at_ms" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `user_blacklists_by_time` ON `user_blacklists` (`tenant_id`,`created_at_ms`,`user_id`);