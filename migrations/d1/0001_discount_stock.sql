DROP INDEX `discounts_code`;--> statement-breakpoint
ALTER TABLE `discounts` ADD `updated_at_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `discounts` ADD `held_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `discounts` ADD `used_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `discounts` ADD `uses_seq` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `discounts` ADD `first_held_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `discounts` ADD `first_used_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `discounts` ADD `first_seq` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `discounts_by_tenant` ON `discounts` (`tenant_id`,`created_at_ms`,`id`) WHERE "discounts"."archived_at_ms" IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `discounts_code` ON `discounts` (`tenant_id`,upper("code")) WHERE "discounts"."archived_at_ms" IS NULL;