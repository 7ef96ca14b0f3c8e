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
CREATE TABLE `merkle_trees` (
	`address` text PRIMARY KEY NOT NULL,
	`depth` integer NOT NULL,
	`buffer_size` integer NOT NULL,
	`canopy_depth` integer NOT NULL,
	`seq` integer NOT NULL,
	`slot` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	CONSTRAINT "merkle_trees_depth" CHECK("merkle_trees"."depth" BETWEEN 1 AND 30),
	CONSTRAINT "merkle_trees_seq" CHECK("merkle_trees"."seq" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
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
	PRIMARY KEY(`tree_address`, `leaf_index`),
	FOREIGN KEY (`tree_address`) REFERENCES `merkle_trees`(`address`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `tree_leaves_by_asset` ON `tree_leaves` (`asset_id`);--> statement-breakpoint
CREATE TABLE `tree_nodes` (
	`tree_address` text NOT NULL,
	`place` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`tree_address`, `place`),
	FOREIGN KEY (`tree_address`) REFERENCES `merkle_trees`(`address`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `signature` text;--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `wire_base64` text;--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `last_valid_block_height` integer;--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `attempts` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `last_error` text;--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `tree_seq` integer;--> statement-breakpoint
ALTER TABLE `asset_moves` ADD `updated_at_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `asset_moves_by_ticket` ON `asset_moves` (`ticket_id`,`queued_at_ms`,`transfer_id`);--> statement-breakpoint
CREATE INDEX `asset_moves_at_work` ON `asset_moves` (`updated_at_ms`) WHERE "asset_moves"."status" IN ('QUEUED', 'SUBMITTED');