--
-- Rows for version 1: two shops with their customers, goods and orders.
--
-- Nothing here depends on the clock or on chance, so that check.sql prints the
-- same on every run.  Keys are looked up by name where people would.
--

BEGIN;
SET LOCAL TimeZone = 'UTC';

INSERT INTO public.currencies (code, name, minor_units) VALUES
    ('EUR', 'Euro', 2),
    ('USD', 'US dollar', 2),
    ('GBP', 'Pound sterling', 2),
    ('JPY', 'Yen', 0);

INSERT INTO public.countries (code, name, currency_code, is_eu) VALUES
    ('DE', 'Germany', 'EUR', true),
    ('FR', 'France', 'EUR', true),
    ('AT', 'Austria', 'EUR', true),
    ('NL', 'Netherlands', 'EUR', true),
    ('GB', 'United Kingdom', 'GBP', false),
    ('US', 'United States', 'USD', false),
    ('JP', 'Japan', 'JPY', false);

INSERT INTO billing.plans (code, name, monthly_price, product_limit, features) VALUES
    ('starter', 'Starter', 19, 100, '{storefront}'),
    ('growth', 'Growth', 79, 5000, '{storefront,api,"gift cards"}'),
    ('scale', 'Scale', 299, NULL, '{storefront,api,"gift cards",sso}');

INSERT INTO billing.tax_rates (country_code, category, rate, valid_from) VALUES
    ('DE', 'standard', 19, '2007-01-01'),
    ('DE', 'standard', 16, '2020-07-01'),
    ('DE', 'standard', 19, '2021-01-01'),
    ('DE', 'reduced', 7, '2007-01-01'),
    ('FR', 'standard', 20, '2014-01-01'),
    ('FR', 'reduced', 5.5, '2014-01-01'),
    ('GB', 'standard', 20, '2011-01-04');


-- Tenants and staff.  The owners come last: the two tables refer to each other.

INSERT INTO shop.tenants (slug, name, plan_code, currency_code, settings, created_at) VALUES
    ('nordwind', 'Nordwind Outdoor', 'growth', 'EUR', '{"theme": "fjord", "locale": "de"}', '2023-02-01 08:00Z'),
    ('teapot', 'The Teapot & Co', 'starter', 'GBP', '{"theme": "plain", "gift_wrap": true}', '2023-05-12 09:30Z');

INSERT INTO shop.staff_members (tenant_id, email, full_name, role, is_active, created_at)
SELECT t.id, s.email, s.full_name, s.role::shop.staff_role, s.is_active, t.created_at
  FROM (VALUES (1, 'nordwind', 'Ingrid.Berg@nordwind.example', 'Ingrid Berg', 'owner', true),
               (2, 'nordwind', 'lars@nordwind.example', 'Lars Holm', 'admin', true),
               (3, 'nordwind', 'mia@nordwind.example', 'Mia Krüger', 'support', true),
               (4, 'nordwind', 'old@nordwind.example', 'Ole Alt', 'viewer', false),
               (5, 'teapot', 'agnes@teapot.example', 'Agnes O''Neill', 'owner', true),
               (6, 'teapot', 'colin@teapot.example', 'Colin Park', 'support', true)
       ) AS s (n, slug, email, full_name, role, is_active)
  JOIN shop.tenants t ON t.slug = s.slug
 ORDER BY s.n;

UPDATE shop.staff_members s
   SET manager_id = o.id
  FROM shop.staff_members o
 WHERE o.tenant_id = s.tenant_id AND o.role = 'owner' AND s.role <> 'owner';

UPDATE shop.tenants t
   SET owner_id = s.id
  FROM shop.staff_members s
 WHERE s.tenant_id = t.id AND s.role = 'owner';

INSERT INTO shop.api_tokens (tenant_id, created_by, token_hash, scopes, expires_at)
SELECT s.tenant_id, s.id, sha256(convert_to('token of ' || s.email, 'UTF8')),
       CASE s.role WHEN 'owner' THEN '{read,write,admin}'::text[] ELSE '{read}'::text[] END,
       '2030-01-01 00:00Z'
  FROM shop.staff_members s
 WHERE s.is_active
 ORDER BY s.id;

INSERT INTO shop.sessions (id, tenant_id, data, seen_at)
SELECT md5('session ' || n)::uuid, 1 + n % 2, jsonb_build_object('n', n), timestamptz '2024-06-01 00:00Z' + n * interval '7 minutes'
  FROM generate_series(1, 20) AS n;

INSERT INTO billing.subscriptions (tenant_id, plan_code, active)
SELECT t.id, s.plan_code, s.active::daterange
  FROM (VALUES (1, 'nordwind', 'starter', '[2023-02-01,2023-09-01)'),
               (2, 'nordwind', 'growth', '[2023-09-01,)'),
               (3, 'teapot', 'starter', '[2023-05-12,)')
       ) AS s (n, slug, plan_code, active)
  JOIN shop.tenants t ON t.slug = s.slug
 ORDER BY s.n;


-- Customers: fifteen for each shop, two of them gone again.

INSERT INTO shop.customers (tenant_id, email, full_name, birthday, notes, created_at, deleted_at)
SELECT t.id,
       format('%s.%s@mail%s.example', lower(f.name), lower(l.name), n % 3),
       CASE WHEN n % 7 = 0 THEN '' ELSE f.name || ' ' || l.name END,
       CASE WHEN n % 4 = 0 THEN NULL ELSE date '1960-03-01' + n * 411 END,
       CASE WHEN n % 5 = 0 THEN 'Prefers e-mail, order ' || n END,
       timestamptz '2023-06-01 10:00Z' + n * interval '53 hours',
       CASE WHEN n % 15 = 14 THEN timestamptz '2024-05-01 00:00Z' END
  FROM generate_series(1, 30) AS n
  JOIN shop.tenants t ON t.slug = CASE WHEN n <= 15 THEN 'nordwind' ELSE 'teapot' END
  JOIN (VALUES (0, 'Anna'), (1, 'Ben'), (2, 'Chloe'), (3, 'David'), (4, 'Ella'), (5, 'Finn')) AS f (i, name) ON f.i = n % 6
  JOIN (VALUES (0, 'Adams'), (1, 'Baker'), (2, 'Clark'), (3, 'Dupont'), (4, 'Evans')) AS l (i, name) ON l.i = n % 5
 ORDER BY n;

INSERT INTO shop.customer_addresses (tenant_id, customer_id, label, address, is_default)
SELECT c.tenant_id, c.id, a.label,
       ROW(c.display_name, 'Street ' || c.id, CASE WHEN c.id % 3 = 0 THEN 'Flat ' || a.i END,
           a.city, lpad((c.id * 331 % 99999)::text, 5, '0'), a.country)::shop.postal_address,
       a.i = 1
  FROM shop.customers c
  JOIN (VALUES (1, 'home', 'Bremen', 'DE'), (2, 'work', 'Lyon', 'FR')) AS a (i, label, city, country)
    ON a.i = 1 OR c.id % 4 = 0
 ORDER BY c.id, a.i;


-- Catalogue

INSERT INTO shop.brands (tenant_id, name, website)
SELECT t.id, b.name, b.website
  FROM (VALUES (1, 'nordwind', 'Fjell', 'https://fjell.example'),
               (2, 'nordwind', 'Sturmfest', 'https://sturmfest.example'),
               (3, 'nordwind', 'No Name', NULL),
               (4, 'teapot', 'Assam & Sons', 'https://assam.example'),
               (5, 'teapot', 'Brown Betty', 'http://betty.example')
       ) AS b (n, slug, name, website)
  JOIN shop.tenants t ON t.slug = b.slug
 ORDER BY b.n;

INSERT INTO shop.categories (tenant_id, name, position)
SELECT t.id, c.name, c.n * 10
  FROM (VALUES (1, 'nordwind', 'Clothing'), (2, 'nordwind', 'Camping'), (3, 'nordwind', 'Sale %'),
               (4, 'teapot', 'Tea'), (5, 'teapot', 'Pots & Cups')) AS c (n, slug, name)
  JOIN shop.tenants t ON t.slug = c.slug
 ORDER BY c.n;

INSERT INTO shop.categories (tenant_id, parent_id, name, position)
SELECT p.tenant_id, p.id, c.name, c.n * 10
  FROM (VALUES (1, 'Clothing', 'Jackets'), (2, 'Clothing', 'Shoes & Boots'), (3, 'Camping', 'Tents'),
               (4, 'Tea', 'Black Tea'), (5, 'Tea', 'Green Tea')) AS c (n, parent, name)
  JOIN shop.categories p ON p.name = c.parent
 ORDER BY c.n;

INSERT INTO shop.products (tenant_id, brand_id, name, description, status, channels, attributes, legacy_code, created_at)
SELECT b.tenant_id, b.id, p.name, p.name || ' by ' || b.name || ', number ' || p.n,
       p.status::shop.product_status,
       CASE WHEN p.n % 2 = 0 THEN '{web,app}' ELSE '{web,pos}' END::shop.sales_channel[],
       jsonb_build_object('colour', (ARRAY['red', 'green', 'blue'])[1 + p.n % 3], 'weight', p.n * 100),
       CASE WHEN p.n % 3 = 0 THEN 'OLD' || p.n END,
       timestamptz '2023-07-01 00:00Z' + p.n * interval '1 day'
  FROM (VALUES (1, 'Fjell', 'Rain Jacket "Bergen"', 'active'),
               (2, 'Fjell', 'Down Jacket', 'active'),
               (3, 'Fjell', 'Hiking Boots', 'active'),
               (4, 'Sturmfest', 'Tent for Two', 'active'),
               (5, 'Sturmfest', 'Tent for Four', 'active'),
               (6, 'Sturmfest', 'Sleeping Bag -5 °C', 'active'),
               (7, 'No Name', 'Tent Pegs', 'archived'),
               (8, 'No Name', 'Gas Stove', 'draft'),
               (9, 'Assam & Sons', 'Breakfast Tea', 'active'),
               (10, 'Assam & Sons', 'Earl Grey', 'active'),
               (11, 'Assam & Sons', 'Sencha', 'active'),
               (12, 'Brown Betty', 'Teapot, 4 cups', 'active'),
               (13, 'Brown Betty', 'Teapot, 8 cups', 'active'),
               (14, 'Brown Betty', 'Tea Cosy', 'draft')
       ) AS p (n, brand, name, status)
  JOIN shop.brands b ON b.name = p.brand
 ORDER BY p.n;

INSERT INTO shop.product_variants (product_id, sku, title, price, options)
SELECT p.id,
       format('%s-%s', CASE WHEN t.slug = 'nordwind' THEN 'NW' ELSE 'TEA' END, 1000 + p.id * 10 + v.i),
       v.title, p.id * 7.5 + v.i * 2, jsonb_build_object('size', v.title)
  FROM shop.products p
  JOIN shop.tenants t ON t.id = p.tenant_id
 CROSS JOIN (VALUES (1, 'Small'), (2, 'Large'), (3, 'Extra large')) AS v (i, title)
 WHERE v.i < 3 OR p.id % 2 = 0
 ORDER BY p.id, v.i;

INSERT INTO shop.product_categories (product_id, category_id, position)
SELECT p.id, c.id, p.id
  FROM (VALUES ('Jacket', 'Clothing'), ('Jacket', 'Jackets'), ('Boots', 'Clothing'), ('Boots', 'Shoes & Boots'),
               ('Tent', 'Camping'), ('Tent for', 'Tents'), ('Pegs', 'Sale %'), ('Earl', 'Tea'), ('Breakfast', 'Black Tea'),
               ('Sencha', 'Green Tea'), ('Teapot', 'Pots & Cups')) AS m (word, category)
  JOIN shop.products p ON p.name LIKE '%' || m.word || '%'
  JOIN shop.categories c ON c.name = m.category AND c.tenant_id = p.tenant_id
 ORDER BY p.id, c.id;

INSERT INTO shop.product_images (product_id, url, alt_text, position)
SELECT p.id, format('https://img.example/%s/%s.jpg', p.slug, i), CASE WHEN i = 1 THEN p.name END, i
  FROM shop.products p, generate_series(1, 2) AS i
 ORDER BY p.id, i;

INSERT INTO shop.product_reviews (tenant_id, product_id, customer_id, rating, body, created_at, published)
SELECT p.tenant_id, p.id, c.id, 1 + (p.id * 3 + c.id) % 5,
       CASE WHEN c.id % 2 = 0 THEN 'Review of ' || p.name END,
       timestamptz '2024-03-01 12:00Z' + c.id * interval '1 day',
       c.id % 3 <> 0
  FROM shop.products p
  JOIN shop.customers c ON c.tenant_id = p.tenant_id AND (c.id + p.id) % 5 = 0
 ORDER BY p.id, c.id;

INSERT INTO shop.wishlists (customer_id, name)
SELECT id, 'Birthday' FROM shop.customers WHERE id % 6 = 1 ORDER BY id;

INSERT INTO shop.wishlist_items (wishlist_id, product_id, added_at)
SELECT w.id, p.id, '2024-04-01 00:00Z'
  FROM shop.wishlists w
  JOIN shop.customers c ON c.id = w.customer_id
  JOIN shop.products p ON p.tenant_id = c.tenant_id AND p.id % 2 = 0;

INSERT INTO shop.search_log (tenant_id, query, hits, searched_at)
SELECT 1 + n % 2, 'word ' || n % 9, n % 4, timestamptz '2024-06-01 00:00Z' + n * interval '1 minute'
  FROM generate_series(1, 40) AS n;


-- Prices and discounts

INSERT INTO shop.price_lists (tenant_id, name, currency_code, valid_during)
SELECT t.id, l.name, l.currency, '["2024-01-01 00:00Z",)'
  FROM (VALUES (1, 'nordwind', 'Retail', 'EUR'), (2, 'nordwind', 'Wholesale', 'EUR'), (3, 'teapot', 'Retail', 'GBP'))
           AS l (n, slug, name, currency)
  JOIN shop.tenants t ON t.slug = l.slug
 ORDER BY l.n;

INSERT INTO shop.prices (price_list_id, variant_id, quantity, amount)
SELECT l.id, v.id, s.quantity::int4range, round(v.price * s.factor, 2)
  FROM shop.price_lists l
  JOIN shop.products p ON p.tenant_id = l.tenant_id
  JOIN shop.product_variants v ON v.product_id = p.id
  JOIN (VALUES (1, 'Retail', '[1,)', 1.0), (2, 'Wholesale', '[1,10)', 0.8), (3, 'Wholesale', '[10,)', 0.7))
           AS s (n, list, quantity, factor) ON s.list = l.name
 ORDER BY l.id, v.id, s.n;

INSERT INTO shop.discounts (tenant_id, code, percent_off, amount_off, max_redemptions, starts_at, ends_at)
SELECT t.id, d.code, d.percent_off, d.amount_off, d.max_redemptions, '2024-01-01 00:00Z', d.ends_at::timestamptz
  FROM (VALUES (1, 'nordwind', 'WELCOME10', 10, NULL, NULL, NULL),
               (2, 'nordwind', 'Summer24', 15, NULL, 500, '2024-09-01 00:00Z'),
               (3, 'nordwind', 'FIVEOFF', NULL, 5, 100, NULL),
               (4, 'teapot', 'WELCOME10', 10, NULL, NULL, NULL),
               (5, 'teapot', 'TEATIME', NULL, 2.5, 50, '2025-01-01 00:00Z')
       ) AS d (n, slug, code, percent_off, amount_off, max_redemptions, ends_at)
  JOIN shop.tenants t ON t.slug = d.slug
 ORDER BY d.n;


-- Stock.  The trigger on movements keeps the levels.

INSERT INTO shop.warehouses (tenant_id, code, name, address)
SELECT t.id, w.code, w.name, ROW(t.name, w.line1, NULL, w.city, w.postcode, w.country)::shop.postal_address
  FROM (VALUES (1, 'nordwind', 'HB1', 'Bremen', 'Am Hafen 3', 'Bremen', '28195', 'DE'),
               (2, 'nordwind', 'LYO', 'Lyon', '8 Quai Rambaud', 'Lyon', '69002', 'FR'),
               (3, 'teapot', 'Main', 'Back room', '12 High Street', 'York', 'YO1 7HY', 'GB')
       ) AS w (n, slug, code, name, line1, city, postcode, country)
  JOIN shop.tenants t ON t.slug = w.slug
 ORDER BY w.n;

INSERT INTO shop.stock_levels (warehouse_id, variant_id, reorder_point)
SELECT w.id, v.id, CASE WHEN v.id % 4 <> 0 THEN 15 + v.id % 20 END
  FROM shop.warehouses w
  JOIN shop.products p ON p.tenant_id = w.tenant_id
  JOIN shop.product_variants v ON v.product_id = p.id;

INSERT INTO shop.stock_movements (warehouse_id, variant_id, kind, quantity, reference, moved_at)
SELECT l.warehouse_id, l.variant_id, m.kind::shop.movement_kind, m.quantity + l.variant_id % 5, 'count ' || m.i,
       timestamptz '2024-01-02 06:00Z' + m.i * interval '1 day'
  FROM shop.stock_levels l
 CROSS JOIN (VALUES (1, 'receipt', 40), (2, 'sale', -12), (3, 'correction', -6)) AS m (i, kind, quantity)
 ORDER BY m.i, l.warehouse_id, l.variant_id;

UPDATE shop.stock_levels SET reserved = variant_id % 7 WHERE variant_id % 2 = 0;

INSERT INTO shop.delivery_slots (warehouse_id, during, capacity, cancelled)
SELECT w.id, tstzrange(s.t, s.t + interval '4 hours'), 8 + w.id, s.i = 3
  FROM shop.warehouses w
 CROSS JOIN (SELECT i, timestamptz '2024-06-03 08:00Z' + i * interval '4 hours' AS t FROM generate_series(0, 5) AS i) AS s
 ORDER BY w.id, s.i;


-- Carts and orders

INSERT INTO shop.carts (id, tenant_id, customer_id, discount_id, created_at, expires_at)
SELECT md5('cart ' || c.id)::uuid, c.tenant_id, c.id, d.id, '2024-06-01 00:00Z', '2024-06-08 00:00Z'
  FROM shop.customers c
  LEFT JOIN shop.discounts d ON d.tenant_id = c.tenant_id AND d.code = 'WELCOME10' AND c.id % 2 = 0
 WHERE c.id % 3 = 0;

INSERT INTO shop.cart_items (cart_id, variant_id, quantity, added_at)
SELECT a.id, v.id, 1 + v.id % 3, '2024-06-01 00:05Z'
  FROM shop.carts a
  JOIN shop.products p ON p.tenant_id = a.tenant_id
  JOIN shop.product_variants v ON v.product_id = p.id AND v.id % 5 = 0;

INSERT INTO shop.orders (tenant_id, customer_id, status, channel, currency_code, ship_to, bill_to, shipping_method,
                         shipping_cost, delivery_slot_id, placed_at, created_at)
SELECT t.id, c.id,
       (ARRAY['draft', 'placed', 'paid', 'shipped', 'delivered', 'cancelled']::shop.order_status[])[1 + n % 6],
       CASE WHEN c.id IS NULL THEN 'pos' WHEN n % 4 = 0 THEN 'app' ELSE 'web' END::shop.sales_channel,
       t.currency_code, a.address, a.address,
       CASE WHEN n % 2 = 0 THEN 'standard' ELSE 'express' END,
       CASE WHEN n % 2 = 0 THEN 4.90 ELSE 9.90 END,
       s.id,
       CASE WHEN n % 6 <> 0 THEN timestamptz '2024-05-01 09:00Z' + n * interval '13 hours' END,
       timestamptz '2024-05-01 08:00Z' + n * interval '13 hours'
  FROM generate_series(1, 60) AS n
  JOIN shop.tenants t ON t.slug = CASE WHEN n % 3 = 0 THEN 'teapot' ELSE 'nordwind' END
  LEFT JOIN shop.customers c ON c.tenant_id = t.id AND n % 10 <> 9
                            AND c.id = 1 + n % 15 + CASE WHEN n % 3 = 0 THEN 15 ELSE 0 END
  LEFT JOIN shop.customer_addresses a ON a.customer_id = c.id AND a.is_default
  LEFT JOIN shop.delivery_slots s ON s.id = n
 ORDER BY n;

INSERT INTO shop.order_items (order_id, variant_id, quantity, unit_price, tax_rate)
SELECT o.id, v.id, 1 + (o.id + v.id) % 4, v.price, CASE WHEN t.slug = 'teapot' THEN 20 ELSE 19 END
  FROM shop.orders o
  JOIN shop.tenants t ON t.id = o.tenant_id
  JOIN shop.products p ON p.tenant_id = t.id
  JOIN shop.product_variants v ON v.product_id = p.id
 WHERE v.id % 11 = o.id % 11
 ORDER BY o.id, v.id;

-- What was placed gets paid: this writes history and outbox.
UPDATE shop.orders SET status = 'paid' WHERE status = 'placed' AND id % 4 = 1;

INSERT INTO shop.discount_redemptions (discount_id, order_id, amount)
SELECT d.id, o.id, 2 + o.id % 3
  FROM shop.orders o
  JOIN shop.discounts d ON d.tenant_id = o.tenant_id AND d.code = 'WELCOME10'
 WHERE o.id % 5 = 0 AND o.status <> 'draft';

INSERT INTO shop.shipments (order_id, warehouse_id, carrier, tracking_no, shipped_at, delivered_at)
SELECT o.id, min(w.id), CASE WHEN o.id % 2 = 0 THEN 'DHL' ELSE 'GLS' END, 'TRK' || lpad(o.id::text, 8, '0'),
       o.placed_at + interval '1 day',
       CASE WHEN o.status = 'delivered' THEN o.placed_at + interval '3 days' END
  FROM shop.orders o
  JOIN shop.warehouses w ON w.tenant_id = o.tenant_id
 WHERE o.status IN ('shipped', 'delivered')
 GROUP BY o.id
 ORDER BY o.id;

INSERT INTO shop.shipment_items (shipment_id, order_item_id, quantity)
SELECT s.id, i.id, i.quantity
  FROM shop.shipments s
  JOIN shop.order_items i ON i.order_id = s.order_id;


-- Billing

INSERT INTO billing.invoices (tenant_id, order_id, issued_on, due_on, net_amount, tax_amount, paid_at)
SELECT o.tenant_id, o.id, o.placed_at::date, o.placed_at::date + 14, t.total, round(t.total * 0.19, 2),
       CASE WHEN o.status = 'delivered' THEN o.placed_at + interval '5 days' END
  FROM shop.orders o
  JOIN shop.order_totals t ON t.order_id = o.id
 WHERE o.status IN ('paid', 'shipped', 'delivered')
 ORDER BY o.id;

INSERT INTO billing.invoice_lines (invoice_id, line_no, description, quantity, amount)
SELECT n.id, row_number() OVER (PARTITION BY n.id ORDER BY i.id), v.sku || ' ' || v.title, i.quantity, i.line_total
  FROM billing.invoices n
  JOIN shop.order_items i ON i.order_id = n.order_id
  JOIN shop.product_variants v ON v.id = i.variant_id;

INSERT INTO billing.payments (invoice_id, method, state, amount, provider_ref, created_at)
SELECT n.id, (ARRAY['card', 'paypal', 'sepa', 'invoice']::billing.payment_method[])[1 + n.id % 4],
       CASE WHEN n.paid_at IS NOT NULL THEN 'captured' WHEN n.id % 5 = 0 THEN 'failed' ELSE 'authorized' END::billing.payment_state,
       n.net_amount + n.tax_amount, 'ref-' || n.number, n.issued_on + time '10:00'
  FROM billing.invoices n
 ORDER BY n.id;

INSERT INTO billing.refunds (payment_id, amount, reason, created_at)
SELECT p.id, round(p.amount / 4, 2), 'damaged', '2024-06-20 00:00Z'
  FROM billing.payments p
 WHERE p.state = 'captured' AND p.id % 2 = 0
 ORDER BY p.id;

COMMIT;

REFRESH MATERIALIZED VIEW shop.daily_sales;
REFRESH MATERIALIZED VIEW shop.product_ratings;
