ALTER TABLE `refunds` ADD `settled_by` text;--> statement-breakpoint
ALTER TABLE `refunds` ADD `checks` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `refunds` ADD `next_check_at_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `refunds_to_check` ON `refunds` (`next_check_at_ms`) WHERE "refunds"."status" = 'submitted';