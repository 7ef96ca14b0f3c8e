ALTER TABLE `reservations` ADD `restocked_quantity` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `reservations_open` ON `reservations` (`expires_at_ms`) WHERE "reservations"."status" = 'ACTIVE';--> statement-breakpoint
CREATE INDEX `orders_unpaid` ON `orders` (`hold_expires_at_ms`) WHERE "orders"."status" IN ('PENDING', 'PAYMENT_FAILED');--> statement-breakpoint
CREATE INDEX `refunds_not_asked_for` ON `refunds` (`created_at_ms`) WHERE "refunds"."status" = 'created';--> statement-breakpoint
CREATE INDEX `ticket_types_by_tenant` ON `ticket_types` (`tenant_id`,`id`);