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
CREATE INDEX `webhook_endpoints_deleted` ON `webhook_endpoints` (`ended_at_ms`) WHERE "webhook_endpoints"."status" = 'DELETED';