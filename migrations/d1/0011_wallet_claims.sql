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
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_asset_moves` (
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
	CONSTRAINT "asset_moves_status" CHECK("__new_asset_moves"."status" IN ('QUEUED', 'SUBMITTED', 'MOVED', 'FAILED'))
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_asset_moves`("transfer_id", "tenant_id", "ticket_id", "from_address", "to_address", "status", "signature", "wire_base64", "last_valid_block_height", "attempts", "last_error", "tree_seq", "queued_at_ms", "updated_at_ms") SELECT "transfer_id", "tenant_id", "ticket_id", "from_address", "to_address", "status", "signature", "wire_base64", "last_valid_block_height", "attempts", "last_error", "tree_seq", "queued_at_ms", "updated_at_ms" FROM `asset_moves`;--> statement-breakpoint
DROP TABLE `asset_moves`;--> statement-breakpoint
ALTER TABLE `__new_asset_moves` RENAME TO `asset_moves`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE INDEX `asset_moves_by_status` ON `asset_moves` (`tenant_id`,`status`,`queued_at_ms`,`transfer_id`);--> statement-breakpoint
CREATE INDEX `asset_moves_by_ticket` ON `asset_moves` (`ticket_id`,`queued_at_ms`,`transfer_id`);--> statement-breakpoint
CREATE INDEX `asset_moves_at_work` ON `asset_moves` (`updated_at_ms`) WHERE "asset_moves"."status" IN ('QUEUED', 'SUBMITTED');