--
-- What must survive every migration: for each table the number of its rows and
-- a checksum over the columns that live in all versions.
--
-- Prints the same text for versions 1 to 4.  Left out are generated columns
-- (their expressions change), clock values, and shop.api_tokens, which from
-- version 3 on shows its own owner nothing (FORCE ROW LEVEL SECURITY).
--

SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET bytea_output = 'hex';

SELECT * FROM (
    SELECT 'public.currencies' AS rel, count(*) AS rows,
           md5(string_agg(ROW(code, name, minor_units)::text, ';' ORDER BY code COLLATE "C")) AS checksum
      FROM public.currencies
    UNION ALL
    SELECT 'public.countries', count(*),
           md5(string_agg(ROW(code, name, currency_code, is_eu)::text, ';' ORDER BY code COLLATE "C"))
      FROM public.countries
    UNION ALL
    SELECT 'shop.tenants', count(*),
           md5(string_agg(ROW(id, slug, name, plan_code, currency_code, owner_id, settings, created_at)::text, ';' ORDER BY id))
      FROM shop.tenants
    UNION ALL
    SELECT 'shop.staff_members', count(*),
           md5(string_agg(ROW(id, tenant_id, email, full_name, role, manager_id, is_active)::text, ';' ORDER BY id))
      FROM shop.staff_members
    UNION ALL
    SELECT 'shop.sessions', count(*),
           md5(string_agg(ROW(id, tenant_id, data, seen_at)::text, ';' ORDER BY id))
      FROM shop.sessions
    UNION ALL
    SELECT 'shop.customers', count(*),
           md5(string_agg(ROW(id, tenant_id, email, full_name, birthday, notes, created_at, deleted_at)::text, ';' ORDER BY id))
      FROM shop.customers
    UNION ALL
    SELECT 'shop.customer_addresses', count(*),
           md5(string_agg(ROW(id, tenant_id, customer_id, label, (address).recipient, (address).line1, (address).line2,
                              (address).city, (address).postcode, (address).country_code, is_default)::text, ';' ORDER BY id))
      FROM shop.customer_addresses
    UNION ALL
    SELECT 'shop.brands', count(*),
           md5(string_agg(ROW(id, tenant_id, name, website)::text, ';' ORDER BY id))
      FROM shop.brands
    UNION ALL
    SELECT 'shop.categories', count(*),
           md5(string_agg(ROW(id, tenant_id, parent_id, name, position)::text, ';' ORDER BY id))
      FROM shop.categories
    UNION ALL
    SELECT 'shop.products', count(*),
           md5(string_agg(ROW(id, tenant_id, brand_id, name, description, status, channels, attributes, created_at)::text, ';' ORDER BY id))
      FROM shop.products
    UNION ALL
    SELECT 'shop.product_variants', count(*),
           md5(string_agg(ROW(id, product_id, sku, title, price, options, is_active)::text, ';' ORDER BY id))
      FROM shop.product_variants
    UNION ALL
    SELECT 'shop.product_categories', count(*),
           md5(string_agg(ROW(product_id, category_id, position)::text, ';' ORDER BY product_id, category_id))
      FROM shop.product_categories
    UNION ALL
    SELECT 'shop.product_images', count(*),
           md5(string_agg(ROW(id, product_id, url, alt_text, position)::text, ';' ORDER BY id))
      FROM shop.product_images
    UNION ALL
    SELECT 'shop.product_reviews', count(*),
           md5(string_agg(ROW(id, tenant_id, product_id, customer_id, rating, body, created_at, published)::text, ';' ORDER BY id))
      FROM shop.product_reviews
    UNION ALL
    SELECT 'shop.price_lists', count(*),
           md5(string_agg(ROW(id, tenant_id, name, currency_code, valid_during)::text, ';' ORDER BY id))
      FROM shop.price_lists
    UNION ALL
    SELECT 'shop.prices', count(*),
           md5(string_agg(ROW(id, price_list_id, variant_id, quantity, amount)::text, ';' ORDER BY id))
      FROM shop.prices
    UNION ALL
    SELECT 'shop.discounts', count(*),
           md5(string_agg(ROW(id, tenant_id, code, percent_off, amount_off, max_redemptions, starts_at, ends_at)::text, ';' ORDER BY id))
      FROM shop.discounts
    UNION ALL
    SELECT 'shop.warehouses', count(*),
           md5(string_agg(ROW(id, tenant_id, code, name, (address).line1, (address).city, (address).postcode)::text, ';' ORDER BY id))
      FROM shop.warehouses
    UNION ALL
    SELECT 'shop.stock_levels', count(*),
           md5(string_agg(ROW(warehouse_id, variant_id, on_hand, reserved, reorder_point)::text, ';' ORDER BY warehouse_id, variant_id))
      FROM shop.stock_levels
    UNION ALL
    SELECT 'shop.stock_movements', count(*),
           md5(string_agg(ROW(id, warehouse_id, variant_id, kind, quantity, reference, moved_at)::text, ';' ORDER BY id))
      FROM shop.stock_movements
    UNION ALL
    SELECT 'shop.delivery_slots', count(*),
           md5(string_agg(ROW(id, warehouse_id, during, capacity, cancelled)::text, ';' ORDER BY id))
      FROM shop.delivery_slots
    UNION ALL
    SELECT 'shop.carts', count(*),
           md5(string_agg(ROW(id, tenant_id, customer_id, created_at, expires_at)::text, ';' ORDER BY id))
      FROM shop.carts
    UNION ALL
    SELECT 'shop.cart_items', count(*),
           md5(string_agg(ROW(cart_id, variant_id, quantity, added_at)::text, ';' ORDER BY cart_id, variant_id))
      FROM shop.cart_items
    UNION ALL
    SELECT 'shop.orders', count(*),
           md5(string_agg(ROW(id, tenant_id, customer_id, number, status, channel, currency_code,
                              (ship_to).recipient, (ship_to).city, (bill_to).line1, (bill_to).country_code,
                              shipping_method, shipping_cost, delivery_slot_id, placed_at, created_at)::text, ';' ORDER BY id))
      FROM shop.orders
    UNION ALL
    SELECT 'shop.order_items', count(*),
           md5(string_agg(ROW(id, order_id, variant_id, quantity, unit_price, tax_rate)::text, ';' ORDER BY id))
      FROM shop.order_items
    UNION ALL
    SELECT 'shop.order_status_history', count(*),
           md5(string_agg(ROW(id, order_id, old_status, new_status)::text, ';' ORDER BY id))
      FROM shop.order_status_history
    UNION ALL
    SELECT 'shop.discount_redemptions', count(*),
           md5(string_agg(ROW(discount_id, order_id, amount)::text, ';' ORDER BY discount_id, order_id))
      FROM shop.discount_redemptions
    UNION ALL
    SELECT 'shop.shipments', count(*),
           md5(string_agg(ROW(id, order_id, warehouse_id, carrier, tracking_no, shipped_at, delivered_at)::text, ';' ORDER BY id))
      FROM shop.shipments
    UNION ALL
    SELECT 'shop.shipment_items', count(*),
           md5(string_agg(ROW(shipment_id, order_item_id, quantity)::text, ';' ORDER BY shipment_id, order_item_id))
      FROM shop.shipment_items
    UNION ALL
    SELECT 'shop.outbox_events', count(*),
           md5(string_agg(ROW(id, tenant_id, topic)::text, ';' ORDER BY id))
      FROM shop.outbox_events
    UNION ALL
    SELECT 'billing.plans', count(*),
           md5(string_agg(ROW(code, name, monthly_price, product_limit, features)::text, ';' ORDER BY code COLLATE "C"))
      FROM billing.plans
    UNION ALL
    SELECT 'billing.subscriptions', count(*),
           md5(string_agg(ROW(id, tenant_id, plan_code, active)::text, ';' ORDER BY id))
      FROM billing.subscriptions
    UNION ALL
    SELECT 'billing.tax_rates', count(*),
           md5(string_agg(ROW(country_code, category, rate, valid_from)::text, ';'
                          ORDER BY country_code COLLATE "C", category COLLATE "C", valid_from))
      FROM billing.tax_rates
    UNION ALL
    SELECT 'billing.invoices', count(*),
           md5(string_agg(ROW(id, tenant_id, order_id, number, issued_on, due_on, net_amount, tax_amount, paid_at)::text, ';' ORDER BY id))
      FROM billing.invoices
    UNION ALL
    SELECT 'billing.invoice_lines', count(*),
           md5(string_agg(ROW(invoice_id, line_no, description, trunc(quantity)::text, amount)::text, ';' ORDER BY invoice_id, line_no))
      FROM billing.invoice_lines
    UNION ALL
    SELECT 'billing.payments', count(*),
           md5(string_agg(ROW(id, invoice_id, method, state, amount, provider_ref, created_at)::text, ';' ORDER BY id))
      FROM billing.payments
    UNION ALL
    SELECT 'billing.refunds', count(*),
           md5(string_agg(ROW(id, payment_id, amount, reason, created_at)::text, ';' ORDER BY id))
      FROM billing.refunds
) AS survivors
 ORDER BY rel COLLATE "C";

SELECT count(*) AS orders, sum(i.quantity * i.unit_price) AS goods_sold, min(o.number) AS first_number, max(o.number) AS last_number
  FROM shop.orders o
  JOIN shop.order_items i ON i.order_id = o.id
 WHERE o.status NOT IN ('draft', 'cancelled');
