-- An order in D1 is the sum of its lines, or it is not there: the line that completes it is refused, and its transaction with it.
CREATE TRIGGER order_is_sum_of_lines AFTER INSERT ON order_items
WHEN NEW.line_number = (SELECT line_count FROM orders WHERE id = NEW.order_id)
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: order_is_sum_of_lines') WHERE NOT EXISTS (
    SELECT 1 FROM orders WHERE id = NEW.order_id AND (subtotal_cents, discount_cents, fee_cents, tax_cents, total_cents) = (
      SELECT SUM(unit_price_cents * quantity), SUM(discount_cents), SUM(fee_cents), SUM(tax_cents), SUM(total_cents)
      FROM order_items WHERE order_id = NEW.order_id));
END;
