ALTER TABLE `tickets` ADD `held_by_address` text;--> statement-breakpoint
ALTER TABLE `tickets` ADD `held_since_ms` integer;--> statement-breakpoint
ALTER TABLE `tree_leaves` ADD `news_at_ms` integer DEFAULT 0;--> statement-breakpoint
CREATE INDEX `tree_leaves_news` ON `tree_leaves` (`news_at_ms`) WHERE "tree_leaves"."news_at_ms" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `mint_jobs_by_asset` ON `mint_jobs` (`asset_id`) WHERE "mint_jobs"."asset_id" IS NOT NULL;