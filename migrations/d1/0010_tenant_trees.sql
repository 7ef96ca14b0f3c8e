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
ALTER TABLE `events` ADD `frozen_collection_address` text;--> statement-breakpoint
ALTER TABLE `mint_jobs` ADD `tree_address` text;--> statement-breakpoint
ALTER TABLE `mint_jobs` ADD `collection_address` text;