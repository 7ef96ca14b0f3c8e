CREATE TABLE `undelivered_cursors` (
	`provider` text PRIMARY KEY NOT NULL,
	`since_ms` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `payments` ADD `checks` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `payments` ADD `next_check_at_ms` integer;--> statement-breakpoint
CREATE INDEX `payments_to_check` ON `payments` (`next_check_at_ms`) WHERE "payments"."next_check_at_ms" IS NOT NULL;