--
-- Web shop for many tenants: the schema the application wants.
--
-- This file is the whole truth about the schema.  To change the schema, change
-- this file; never write ALTER statements for an existing database by hand.
--
--   public    what every tenant shares: countries, currencies, small helpers
--   shop      catalogue, customers, orders, stock
--   billing   invoices, payments, the ledger, the tenants' own subscriptions
--
-- Every row of a tenant carries tenant_id.  The application sets app.tenant_id
-- at the start of each transaction and row-level security does the rest.
--

CREATE SCHEMA shop;
CREATE SCHEMA billing;

COMMENT ON SCHEMA shop IS 'Catalogue, customers, orders and stock of all tenants';
COMMENT ON SCHEMA billing IS 'Invoices, payments and the ledger';


-- ---------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------

CREATE TYPE shop.order_status AS ENUM ('draft', 'placed', 'paid', 'packed', 'shipped', 'delivered', 'returned', 'cancelled');
CREATE TYPE shop.product_status AS ENUM ('draft', 'active', 'archived');
CREATE TYPE shop.staff_role AS ENUM ('owner', 'admin', 'finance', 'support', 'viewer');
CREATE TYPE shop.sales_channel AS ENUM ('web', 'app', 'marketplace', 'pos');
CREATE TYPE shop.movement_kind AS ENUM ('receipt', 'sale', 'return', 'correction');
CREATE TYPE shop.return_reason AS ENUM ('damaged', 'wrong_item', 'does_not_fit', 'changed_mind');
CREATE TYPE shop.loyalty_tier AS ENUM ('bronze', 'silver', 'gold');
CREATE TYPE billing.payment_method AS ENUM ('card', 'paypal', 'sepa', 'invoice');
CREATE TYPE billing.account_kind AS ENUM ('asset', 'liability', 'income', 'expense');
CREATE TYPE billing.payment_state AS ENUM ('pending', 'authorized', 'captured', 'failed');

COMMENT ON TYPE shop.order_status IS 'Life of an order, in the order it happens';

CREATE DOMAIN public.slug AS text
    CONSTRAINT slug_is_url_safe CHECK (VALUE ~ '^[a-z0-9]+(-[a-z0-9]+)*$');

CREATE DOMAIN shop.email AS text
    CONSTRAINT email_format CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$');

CREATE DOMAIN shop.money_amount AS numeric(12,2)
    DEFAULT 0
    CONSTRAINT money_amount_not_negative CHECK (VALUE >= 0);

CREATE DOMAIN shop.percent AS numeric(5,2)
    CONSTRAINT percent_range CHECK (VALUE BETWEEN 0 AND 100);

COMMENT ON DOMAIN shop.money_amount IS 'An amount in the major unit of the row''s currency';

-- Addresses are copied into orders, so that a customer who moves does not
-- rewrite history.
CREATE TYPE shop.postal_address AS (
    recipient     text,
    line1         text,
    line2         text,
    city          text,
    postcode      varchar(12),
    country_code  char(2),
    state         text
);


-- ---------------------------------------------------------------------------
-- Helpers which tables below need for their defaults, checks and indexes
-- ---------------------------------------------------------------------------

CREATE FUNCTION public.slugify(value text, max_length integer DEFAULT 80)
    RETURNS text
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
    RETURN trim(BOTH '-' FROM left(regexp_replace(lower(value), '[^a-z0-9]+', '-', 'g'), max_length));

COMMENT ON FUNCTION public.slugify(text, integer) IS 'Rain Jacket "Bergen" -> rain-jacket-bergen';

CREATE FUNCTION public.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION public.touch_updated_at() IS 'Trigger: keeps updated_at';

CREATE FUNCTION shop.current_tenant_id() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    -- an unset parameter that was set before reads as ''
    SELECT nullif(current_setting('app.tenant_id', true), '')::integer
$$;

COMMENT ON FUNCTION shop.current_tenant_id() IS 'Tenant of this transaction, NULL if the application set none';

CREATE FUNCTION shop.current_customer_id() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT nullif(current_setting('app.customer_id', true), '')::bigint
$$;

CREATE FUNCTION shop.normalize_email(address text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT lower(trim(address)) $$;

CREATE FUNCTION shop.is_valid_sku(sku text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sku ~ '^[A-Z]{2,5}-[0-9]{3,8}(-[A-Z0-9]+)?$'
$$;

CREATE SEQUENCE shop.order_number_seq AS bigint START WITH 1001 INCREMENT BY 1 CACHE 20;
CREATE SEQUENCE billing.invoice_number_seq START WITH 1 MINVALUE 1 MAXVALUE 9999999999 NO CYCLE;

CREATE FUNCTION shop.next_order_number(prefix text DEFAULT 'SO') RETURNS text
    LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN format('%s-%s', prefix, lpad(nextval('shop.order_number_seq')::text, 6, '0'));
END;
$$;


-- ---------------------------------------------------------------------------
-- What all tenants share
-- ---------------------------------------------------------------------------

CREATE TABLE public.currencies (
    code         char(3)   PRIMARY KEY,
    name         text      NOT NULL,
    minor_units  smallint  NOT NULL DEFAULT 2 CHECK (minor_units BETWEEN 0 AND 4)
);

CREATE TABLE public.countries (
    code           char(2)  PRIMARY KEY,
    name           text     NOT NULL UNIQUE,
    currency_code  char(3)  NOT NULL REFERENCES currencies (code),
    is_eu          boolean  NOT NULL DEFAULT false,
    CONSTRAINT countries_code_upper CHECK (code = upper(code))
);

CREATE TABLE billing.plans (
    code           text               PRIMARY KEY,
    name           text               NOT NULL,
    monthly_price  shop.money_amount  NOT NULL,
    product_limit  integer            CHECK (product_limit > 0),
    features       text[]             NOT NULL DEFAULT '{}'
);

COMMENT ON COLUMN billing.plans.product_limit IS 'NULL: unlimited';


-- ---------------------------------------------------------------------------
-- Tenants and the people who work for them
-- ---------------------------------------------------------------------------

CREATE TABLE shop.tenants (
    id             integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug           public.slug  NOT NULL UNIQUE,
    name           text         NOT NULL CHECK (length(name) <= 200),
    plan_code      text         NOT NULL DEFAULT 'starter'
                                REFERENCES billing.plans (code) ON UPDATE CASCADE ON DELETE RESTRICT,
    currency_code  char(3)      NOT NULL DEFAULT 'EUR' REFERENCES public.currencies (code),
    owner_id       integer,     -- foreign key below: tenants and staff refer to each other
    settings       jsonb        NOT NULL DEFAULT '{}',
    created_at     timestamptz  NOT NULL DEFAULT now(),
    suspended_at   timestamptz,
    CONSTRAINT tenants_settings_object CHECK (jsonb_typeof(settings) = 'object')
);

COMMENT ON TABLE shop.tenants IS 'One row for each shop that runs on this platform';
COMMENT ON COLUMN shop.tenants.settings IS 'Free-form settings of the back office';

CREATE TABLE shop.staff_members (
    id          integer          GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   integer          NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    email       shop.email       NOT NULL,
    full_name   varchar(120)     NOT NULL,
    role        shop.staff_role  NOT NULL DEFAULT 'viewer',
    manager_id  integer          REFERENCES shop.staff_members (id) ON DELETE SET NULL,
    is_active   boolean          NOT NULL DEFAULT true,
    created_at  timestamptz      NOT NULL DEFAULT now(),
    updated_at  timestamptz      NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id)
);

CREATE UNIQUE INDEX staff_members_email_key ON shop.staff_members (tenant_id, shop.normalize_email(email));
CREATE INDEX staff_members_role_idx ON shop.staff_members (tenant_id, role) WHERE is_active;

ALTER TABLE shop.tenants
    ADD CONSTRAINT tenants_owner_fkey FOREIGN KEY (id, owner_id)
        REFERENCES shop.staff_members (tenant_id, id)
        DEFERRABLE INITIALLY IMMEDIATE;

CREATE TABLE shop.api_tokens (
    id            integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     integer      NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    created_by    integer      REFERENCES shop.staff_members (id) ON DELETE SET NULL,
    token_hash    bytea        NOT NULL UNIQUE,
    scopes        text[]       NOT NULL DEFAULT ARRAY['read']::text[],
    last_used_at  timestamptz,
    expires_at    timestamptz,
    CHECK (octet_length(token_hash) = 32)
);

COMMENT ON COLUMN shop.api_tokens.token_hash IS 'SHA-256; the token itself is never stored';

CREATE TABLE shop.sessions (
    id          uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id   integer      NOT NULL,
    data        jsonb        NOT NULL DEFAULT '{}'::jsonb,
    seen_at     timestamptz  NOT NULL DEFAULT now()
);

CREATE INDEX sessions_seen_at_idx ON shop.sessions (seen_at);


-- ---------------------------------------------------------------------------
-- Customers
-- ---------------------------------------------------------------------------

CREATE TABLE shop.customers (
    id                bigint        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id         integer       NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    email             shop.email    NOT NULL,
    phone             text          CHECK (phone ~ '^\+[0-9 ]+$'),
    full_name         text          NOT NULL,
    display_name      text          GENERATED ALWAYS AS (coalesce(nullif(full_name, ''), split_part(email, '@', 1))) STORED,
    birthday          date          CHECK (birthday > '1900-01-01'),
    marketing_opt_in  boolean       NOT NULL DEFAULT false,
    notes             text,
    created_at        timestamptz   NOT NULL DEFAULT now(),
    updated_at        timestamptz   NOT NULL DEFAULT now(),
    deleted_at        timestamptz,
    UNIQUE (tenant_id, id)
);

-- An address may be used again once its account is deleted.
CREATE UNIQUE INDEX customers_email_key ON shop.customers (tenant_id, shop.normalize_email(email))
    WHERE deleted_at IS NULL;
CREATE INDEX customers_marketing_idx ON shop.customers (tenant_id, id) INCLUDE (email) WHERE marketing_opt_in AND deleted_at IS NULL;

COMMENT ON TABLE shop.customers IS 'People who buy; one row per tenant they buy from';
COMMENT ON COLUMN shop.customers.notes IS 'Internal notes of the support team; deleted with the account';
COMMENT ON COLUMN shop.customers.marketing_opt_in IS 'Agreed to newsletters, double opt-in';

CREATE TABLE shop.customer_addresses (
    id           integer              GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    integer              NOT NULL,
    customer_id  bigint               NOT NULL,
    label        text                 NOT NULL DEFAULT 'home',
    address      shop.postal_address  NOT NULL,
    is_default   boolean              NOT NULL DEFAULT false,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT customer_addresses_complete
        CHECK ((address).line1 IS NOT NULL AND (address).city IS NOT NULL AND (address).country_code IS NOT NULL)
);

CREATE INDEX ON shop.customer_addresses (tenant_id, customer_id);
CREATE UNIQUE INDEX customer_addresses_one_default ON shop.customer_addresses (customer_id) WHERE is_default;
CREATE INDEX customer_addresses_country_idx ON shop.customer_addresses (((address).country_code));


-- ---------------------------------------------------------------------------
-- Catalogue
-- ---------------------------------------------------------------------------

-- The oldest table of them all, from the days of serial.
CREATE SEQUENCE shop.brands_id_seq AS integer;

CREATE TABLE shop.brands (
    id         integer       NOT NULL DEFAULT nextval('shop.brands_id_seq') PRIMARY KEY,
    tenant_id  integer       NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    name       varchar(100)  NOT NULL,
    website    text          CHECK (website LIKE 'http%'),
    CONSTRAINT brands_name_key UNIQUE (tenant_id, name)
);

ALTER SEQUENCE shop.brands_id_seq OWNED BY shop.brands.id;

CREATE TABLE shop.categories (
    id         integer       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  integer       NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    parent_id  integer       REFERENCES shop.categories (id) ON DELETE RESTRICT,
    name       varchar(100)  NOT NULL,
    slug       text          GENERATED ALWAYS AS (public.slugify(name, 60)) STORED,
    position   integer       NOT NULL DEFAULT 0,
    CONSTRAINT categories_not_own_parent CHECK (parent_id <> id),
    CONSTRAINT categories_slug_key UNIQUE NULLS NOT DISTINCT (tenant_id, parent_id, slug)
);

CREATE INDEX categories_parent_idx ON shop.categories (parent_id, position DESC NULLS LAST);

CREATE TABLE shop.products (
    id           integer                GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 1) PRIMARY KEY,
    tenant_id    integer                NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    brand_id     integer                REFERENCES shop.brands (id) ON DELETE SET NULL,
    name         text                   NOT NULL CHECK (name <> ''),
    slug         text                   GENERATED ALWAYS AS (public.slugify(name)) STORED,
    description  text                   NOT NULL DEFAULT '',
    status       shop.product_status    NOT NULL DEFAULT 'draft',
    channels     shop.sales_channel[]   NOT NULL DEFAULT '{web}',
    attributes   jsonb                  NOT NULL DEFAULT '{}',
    weight_grams integer                CONSTRAINT products_weight_positive CHECK (weight_grams > 0),
    search       tsvector               GENERATED ALWAYS AS (
                     setweight(to_tsvector('simple', name), 'A') ||
                     setweight(to_tsvector('simple', description), 'B')
                 ) STORED,
    created_at   timestamptz            NOT NULL DEFAULT now(),
    updated_at   timestamptz            NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, slug)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);

ALTER TABLE shop.products ALTER COLUMN attributes SET STATISTICS 1000;

CREATE INDEX products_search_idx ON shop.products USING gin (search);
CREATE INDEX products_attributes_idx ON shop.products USING gin (attributes jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX products_active_idx ON shop.products (tenant_id, created_at DESC) WHERE status = 'active';
CREATE INDEX products_brand_idx ON shop.products (brand_id);
CREATE INDEX products_name_idx ON shop.products (tenant_id, lower(name) text_pattern_ops);

COMMENT ON COLUMN shop.products.attributes IS 'Colour, material and so on; searched with @>';
COMMENT ON INDEX shop.products_name_idx IS 'Type-ahead in the back office';

CREATE TABLE shop.product_variants (
    id          integer            GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id  integer            NOT NULL REFERENCES shop.products (id) ON DELETE CASCADE,
    sku         text               NOT NULL,
    title       text               NOT NULL DEFAULT 'Standard',
    price       shop.money_amount  NOT NULL,
    options     jsonb              NOT NULL DEFAULT '{}',
    is_active   boolean            NOT NULL DEFAULT true,
    CONSTRAINT product_variants_sku_format CHECK (shop.is_valid_sku(sku))
);

CREATE UNIQUE INDEX product_variants_sku_key ON shop.product_variants (upper(sku));
CREATE INDEX product_variants_product_idx ON shop.product_variants (product_id) INCLUDE (sku, price);

CREATE TABLE shop.product_categories (
    product_id   integer  NOT NULL REFERENCES shop.products (id) ON DELETE CASCADE,
    category_id  integer  NOT NULL REFERENCES shop.categories (id) ON DELETE CASCADE,
    position     integer  NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, category_id)
);

CREATE INDEX product_categories_category_idx ON shop.product_categories (category_id, position);

CREATE TABLE shop.product_images (
    id          integer  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id  integer  NOT NULL REFERENCES shop.products (id) ON DELETE CASCADE,
    url         text     NOT NULL,
    alt_text    text,
    position    integer  NOT NULL DEFAULT 0,
    -- images are renumbered in one statement, so check at the end
    UNIQUE (product_id, position) DEFERRABLE INITIALLY DEFERRED
);

-- A bundle is a product that is made of variants of other products.
CREATE TABLE shop.bundle_items (
    bundle_id   integer  NOT NULL REFERENCES shop.products (id) ON DELETE CASCADE,
    variant_id  integer  NOT NULL REFERENCES shop.product_variants (id) ON DELETE RESTRICT,
    quantity    integer  NOT NULL DEFAULT 1,
    PRIMARY KEY (bundle_id, variant_id),
    CONSTRAINT bundle_items_quantity_positive CHECK (quantity > 0)
);

CREATE INDEX bundle_items_variant_idx ON shop.bundle_items (variant_id);

CREATE TABLE shop.product_reviews (
    id           integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    integer      NOT NULL,
    product_id   integer      NOT NULL REFERENCES shop.products (id) ON DELETE CASCADE,
    customer_id  bigint,
    rating       smallint     NOT NULL CONSTRAINT product_reviews_rating_range CHECK (rating BETWEEN 1 AND 5),
    body         text,
    created_at   timestamptz  NOT NULL DEFAULT now(),
    published    boolean      NOT NULL DEFAULT false,
    -- a deleted customer's reviews stay, without the name
    CONSTRAINT product_reviews_customer_fkey FOREIGN KEY (tenant_id, customer_id)
        REFERENCES shop.customers (tenant_id, id) ON DELETE SET NULL (customer_id),
    UNIQUE (product_id, customer_id)
);

CREATE TABLE shop.product_questions (
    id           bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    integer      NOT NULL,
    product_id   integer      NOT NULL REFERENCES shop.products (id) ON DELETE CASCADE,
    customer_id  bigint,
    question     text         NOT NULL CHECK (length(question) BETWEEN 5 AND 2000),
    answer       text,
    answered_by  integer      REFERENCES shop.staff_members (id) ON DELETE SET NULL,
    asked_at     timestamptz  NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id) ON DELETE SET NULL (customer_id)
);

CREATE INDEX product_questions_unanswered_idx ON shop.product_questions (tenant_id, asked_at) WHERE answer IS NULL;


-- ---------------------------------------------------------------------------
-- Prices and discounts
-- ---------------------------------------------------------------------------

CREATE TABLE shop.price_lists (
    id             integer    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id      integer    NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    name           text       NOT NULL,
    currency_code  char(3)    NOT NULL REFERENCES public.currencies (code),
    valid_during   tstzrange  NOT NULL DEFAULT tstzrange(now(), NULL),
    CONSTRAINT price_lists_name_key UNIQUE (tenant_id, name)
);

CREATE TABLE shop.prices (
    id             integer            GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    price_list_id  integer            NOT NULL REFERENCES shop.price_lists (id) ON DELETE CASCADE,
    variant_id     integer            NOT NULL REFERENCES shop.product_variants (id) ON DELETE CASCADE,
    quantity       int4range          NOT NULL DEFAULT '[1,)',
    amount         shop.money_amount  NOT NULL,
    -- the steps of a graduated price must not overlap
    CONSTRAINT prices_no_overlap EXCLUDE USING gist (
        int4range(price_list_id, price_list_id, '[]') WITH =,
        int4range(variant_id, variant_id, '[]') WITH =,
        quantity WITH &&
    ),
    CHECK (NOT isempty(quantity))
);

CREATE TABLE shop.discounts (
    id               integer       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id        integer       NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    code             varchar(30)   NOT NULL,
    percent_off      shop.percent,
    amount_off       shop.money_amount DEFAULT NULL,
    max_redemptions  integer,
    starts_at        timestamptz   NOT NULL DEFAULT now(),
    ends_at          timestamptz,
    CONSTRAINT discounts_one_kind CHECK (num_nonnulls(percent_off, amount_off) = 1),
    CONSTRAINT discounts_period CHECK (ends_at > starts_at)
);

CREATE UNIQUE INDEX discounts_code_key ON shop.discounts (tenant_id, upper(code::text));


-- ---------------------------------------------------------------------------
-- Stock
-- ---------------------------------------------------------------------------

CREATE TABLE shop.warehouses (
    id         integer              GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  integer              NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    code       text                 NOT NULL CHECK (code <> ''),
    name       text                 NOT NULL,
    address    shop.postal_address  NOT NULL,
    UNIQUE (tenant_id, code)
);

CREATE INDEX warehouses_code_idx ON shop.warehouses (tenant_id, lower(code) text_pattern_ops);

CREATE TABLE shop.stock_levels (
    warehouse_id   integer  NOT NULL REFERENCES shop.warehouses (id) ON DELETE RESTRICT,
    variant_id     integer  NOT NULL REFERENCES shop.product_variants (id) ON DELETE CASCADE,
    on_hand        bigint   NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved       bigint   NOT NULL DEFAULT 0,
    available      bigint   GENERATED ALWAYS AS (on_hand - reserved) STORED,
    reorder_point  integer,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (warehouse_id, variant_id),
    CONSTRAINT stock_levels_reserved CHECK (reserved BETWEEN 0 AND on_hand)
) WITH (fillfactor = 80, autovacuum_vacuum_threshold = 1000);

CREATE INDEX stock_levels_variant_idx ON shop.stock_levels (variant_id) INCLUDE (available);

CREATE TABLE shop.stock_movements (
    id            bigint              GENERATED ALWAYS AS IDENTITY (CACHE 50) PRIMARY KEY,
    warehouse_id  integer             NOT NULL,
    variant_id    integer             NOT NULL,
    kind          shop.movement_kind  NOT NULL,
    quantity      integer             NOT NULL CHECK (quantity <> 0),
    reference     text,
    moved_at      timestamptz         NOT NULL DEFAULT now(),
    CONSTRAINT stock_movements_level_fkey FOREIGN KEY (warehouse_id, variant_id)
        REFERENCES shop.stock_levels (warehouse_id, variant_id) ON UPDATE CASCADE DEFERRABLE
);

CREATE INDEX stock_movements_level_idx ON shop.stock_movements (warehouse_id, variant_id, moved_at DESC);

CREATE TABLE shop.delivery_slots (
    id            integer    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    warehouse_id  integer    NOT NULL REFERENCES shop.warehouses (id) ON DELETE CASCADE,
    during        tstzrange  NOT NULL,
    capacity      integer    NOT NULL DEFAULT 10 CHECK (capacity > 0),
    cancelled     boolean    NOT NULL DEFAULT false,
    CONSTRAINT delivery_slots_no_overlap EXCLUDE USING gist (
        int4range(warehouse_id, warehouse_id, '[]') WITH =,
        during WITH &&
    ) WHERE (NOT cancelled) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT delivery_slots_bounded CHECK (NOT lower_inf(during) AND NOT upper_inf(during))
);


-- ---------------------------------------------------------------------------
-- Carts and orders
-- ---------------------------------------------------------------------------

CREATE TABLE shop.carts (
    id           uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id    integer      NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    customer_id  bigint       REFERENCES shop.customers (id) ON DELETE CASCADE,
    created_at   timestamptz  NOT NULL DEFAULT now(),
    updated_at   timestamptz  NOT NULL DEFAULT now(),
    expires_at   timestamptz  NOT NULL DEFAULT now() + interval '14 days'
);

CREATE INDEX carts_customer_idx ON shop.carts (customer_id);
CREATE INDEX carts_expires_at_idx ON shop.carts (expires_at);

CREATE TABLE shop.cart_items (
    cart_id     uuid         NOT NULL REFERENCES shop.carts (id) ON DELETE CASCADE,
    variant_id  integer      NOT NULL REFERENCES shop.product_variants (id) ON DELETE CASCADE,
    quantity    integer      NOT NULL DEFAULT 1 CHECK (quantity > 0),
    added_at    timestamptz  NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, variant_id)
) WITH (fillfactor = 75);

CREATE TABLE shop.orders (
    id               bigint               GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id        integer              NOT NULL REFERENCES shop.tenants (id) ON DELETE RESTRICT,
    customer_id      bigint,
    placed_by        integer              REFERENCES shop.staff_members (id) ON DELETE SET NULL,
    number           text                 NOT NULL DEFAULT shop.next_order_number(),
    status           shop.order_status    NOT NULL DEFAULT 'draft',
    channel          shop.sales_channel   NOT NULL DEFAULT 'web',
    currency_code    char(3)              NOT NULL DEFAULT 'EUR' REFERENCES public.currencies (code),
    ship_to          shop.postal_address,
    bill_to          shop.postal_address,
    shipping_method  text                 NOT NULL DEFAULT 'standard',
    shipping_cost    shop.money_amount    NOT NULL,
    delivery_slot_id integer              REFERENCES shop.delivery_slots (id),
    placed_at        timestamptz,
    created_at       timestamptz          NOT NULL DEFAULT now(),
    updated_at       timestamptz          NOT NULL DEFAULT now(),
    CONSTRAINT orders_number_key UNIQUE (tenant_id, number),
    CONSTRAINT orders_customer_fkey FOREIGN KEY (tenant_id, customer_id)
        REFERENCES shop.customers (tenant_id, id) ON DELETE SET NULL (customer_id),
    CONSTRAINT orders_placed CHECK (status IN ('draft', 'cancelled') OR placed_at IS NOT NULL)
) WITH (autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX orders_customer_idx ON shop.orders (customer_id, placed_at DESC NULLS LAST) INCLUDE (status);
CREATE INDEX orders_placed_by_idx ON shop.orders (placed_by) WHERE placed_by IS NOT NULL;
CREATE INDEX orders_open_idx ON shop.orders (tenant_id, placed_at) WHERE status IN ('placed', 'paid', 'packed');
CREATE INDEX orders_returned_idx ON shop.orders (tenant_id, updated_at DESC) WHERE status = 'returned';
CREATE INDEX orders_day_idx ON shop.orders (tenant_id, date_trunc('day', placed_at AT TIME ZONE 'UTC'));

COMMENT ON TABLE shop.orders IS 'Orders of all channels';
COMMENT ON COLUMN shop.orders.number IS 'What the customer sees on every letter';
COMMENT ON COLUMN shop.orders.placed_by IS 'Who took the order, when it came by telephone';
COMMENT ON CONSTRAINT orders_placed ON shop.orders IS 'A draft may be cancelled without ever being placed';

CREATE TABLE shop.order_items (
    id          bigint             GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id    bigint             NOT NULL REFERENCES shop.orders (id) ON DELETE CASCADE,
    variant_id  integer            NOT NULL REFERENCES shop.product_variants (id) ON DELETE RESTRICT,
    quantity    integer            NOT NULL CHECK (quantity > 0),
    unit_price  shop.money_amount  NOT NULL,
    discount    shop.money_amount  NOT NULL,
    tax_rate    shop.percent       NOT NULL,
    line_total  numeric(14,2)      GENERATED ALWAYS AS (round(unit_price * quantity, 2) - discount) STORED
);

CREATE INDEX order_items_order_idx ON shop.order_items (order_id);
CREATE INDEX order_items_variant_idx ON shop.order_items (variant_id);

CREATE TABLE shop.order_status_history (
    id          bigint             GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id    bigint             NOT NULL REFERENCES shop.orders (id) ON DELETE CASCADE,
    old_status  shop.order_status,
    new_status  shop.order_status  NOT NULL,
    changed_at  timestamptz        NOT NULL DEFAULT now()
);

CREATE INDEX order_status_history_order_idx ON shop.order_status_history (order_id, changed_at);

CREATE TABLE shop.discount_redemptions (
    discount_id  integer            NOT NULL REFERENCES shop.discounts (id) ON DELETE RESTRICT,
    order_id     bigint             NOT NULL REFERENCES shop.orders (id) ON DELETE CASCADE,
    amount       shop.money_amount  NOT NULL,
    PRIMARY KEY (discount_id, order_id)
);

CREATE INDEX discount_redemptions_order_idx ON shop.discount_redemptions (order_id) INCLUDE (amount);

CREATE TABLE shop.shipments (
    id            integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id      bigint       NOT NULL REFERENCES shop.orders (id) ON DELETE RESTRICT,
    warehouse_id  integer      NOT NULL REFERENCES shop.warehouses (id) ON DELETE RESTRICT,
    carrier       varchar(40)  NOT NULL,
    tracking_no   varchar(60),
    shipped_at    timestamptz,
    delivered_at  timestamptz,
    CONSTRAINT shipments_tracking_key UNIQUE (carrier, tracking_no),
    CHECK (delivered_at >= shipped_at)
);

CREATE INDEX shipments_order_idx ON shop.shipments (order_id);
CREATE INDEX shipments_in_transit_idx ON shop.shipments (carrier, shipped_at)
    WHERE shipped_at IS NOT NULL AND delivered_at IS NULL;

CREATE TABLE shop.shipment_items (
    shipment_id    integer  NOT NULL REFERENCES shop.shipments (id) ON DELETE CASCADE,
    order_item_id  bigint   NOT NULL REFERENCES shop.order_items (id) ON DELETE RESTRICT,
    quantity       integer  NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, order_item_id)
);

CREATE TABLE shop.returns (
    id           bigint              GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    integer             NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    order_id     bigint              NOT NULL REFERENCES shop.orders (id) ON DELETE RESTRICT,
    reason       shop.return_reason  NOT NULL,
    comment      text,
    requested_at timestamptz         NOT NULL DEFAULT now(),
    received_at  timestamptz,
    CONSTRAINT returns_received_later CHECK (received_at >= requested_at)
);

CREATE INDEX returns_order_idx ON shop.returns (order_id);
CREATE INDEX returns_expected_idx ON shop.returns (tenant_id, requested_at) WHERE received_at IS NULL;

CREATE TABLE shop.return_items (
    return_id      bigint   NOT NULL REFERENCES shop.returns (id) ON DELETE CASCADE,
    order_item_id  bigint   NOT NULL REFERENCES shop.order_items (id) ON DELETE RESTRICT,
    quantity       integer  NOT NULL CHECK (quantity > 0),
    restock        boolean  NOT NULL DEFAULT true,
    PRIMARY KEY (return_id, order_item_id)
);

-- Events wait here for the message broker.
CREATE TABLE shop.outbox_events (
    id            bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     integer      NOT NULL,
    topic         text         NOT NULL,
    payload       json         NOT NULL,
    created_at    timestamptz  NOT NULL DEFAULT now(),
    published_at  timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_vacuum_scale_factor = 0.01);

CREATE INDEX outbox_events_waiting_idx ON shop.outbox_events (tenant_id, id) WHERE published_at IS NULL;


-- ---------------------------------------------------------------------------
-- Loyalty
-- ---------------------------------------------------------------------------

CREATE TABLE shop.loyalty_accounts (
    customer_id  bigint             PRIMARY KEY REFERENCES shop.customers (id) ON DELETE CASCADE,
    tenant_id    integer            NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    tier         shop.loyalty_tier  NOT NULL DEFAULT 'bronze',
    points       integer            NOT NULL DEFAULT 0,
    joined_on    date               NOT NULL DEFAULT CURRENT_DATE
);

CREATE INDEX loyalty_accounts_tier_idx ON shop.loyalty_accounts (tenant_id, tier) INCLUDE (points);

CREATE TABLE shop.loyalty_entries (
    id           bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint       NOT NULL REFERENCES shop.loyalty_accounts (customer_id) ON DELETE CASCADE,
    order_id     bigint       REFERENCES shop.orders (id) ON DELETE SET NULL,
    points       integer      NOT NULL CHECK (points <> 0),
    reason       text         NOT NULL,
    booked_at    timestamptz  NOT NULL DEFAULT now()
);

CREATE INDEX loyalty_entries_customer_idx ON shop.loyalty_entries (customer_id, booked_at DESC);


-- ---------------------------------------------------------------------------
-- Billing
-- ---------------------------------------------------------------------------

CREATE TABLE billing.subscriptions (
    id          integer      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   integer      NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    plan_code   text         NOT NULL REFERENCES billing.plans (code) ON UPDATE CASCADE,
    active      daterange    NOT NULL,
    CONSTRAINT subscriptions_no_overlap EXCLUDE USING gist (
        int4range(tenant_id, tenant_id, '[]') WITH =,
        active WITH &&
    )
);

CREATE TABLE billing.tax_rates (
    country_code  char(2)       NOT NULL REFERENCES public.countries (code),
    category      text          NOT NULL DEFAULT 'standard',
    rate          shop.percent  NOT NULL,
    valid_from    date          NOT NULL,
    PRIMARY KEY (country_code, category, valid_from) INCLUDE (rate)
);

CREATE TABLE billing.invoices (
    id          bigint             GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant_id   integer            NOT NULL REFERENCES shop.tenants (id) ON DELETE RESTRICT,
    order_id    bigint             REFERENCES shop.orders (id) ON DELETE RESTRICT,
    number      bigint             NOT NULL DEFAULT nextval('billing.invoice_number_seq'),
    issued_on   date               NOT NULL DEFAULT CURRENT_DATE,
    due_on      date               NOT NULL DEFAULT (CURRENT_DATE + 30),
    net_amount  shop.money_amount  NOT NULL,
    tax_amount  shop.money_amount  NOT NULL,
    paid_at     timestamptz,
    CONSTRAINT invoices_number_key UNIQUE (tenant_id, number),
    CONSTRAINT invoices_due_after_issue CHECK (due_on >= issued_on)
);

CREATE INDEX invoices_order_idx ON billing.invoices (order_id);
CREATE INDEX invoices_unpaid_idx ON billing.invoices (tenant_id, due_on) WHERE paid_at IS NULL;

CREATE TABLE billing.invoice_lines (
    invoice_id   bigint             NOT NULL REFERENCES billing.invoices (id) ON DELETE CASCADE,
    line_no      smallint           NOT NULL,
    description  text               NOT NULL,
    quantity     numeric(12,3)      NOT NULL DEFAULT 1,
    amount       shop.money_amount  NOT NULL,
    PRIMARY KEY (invoice_id, line_no)
);

CREATE TABLE billing.payments (
    id           integer                 GENERATED ALWAYS AS IDENTITY (START WITH 5000 CACHE 5) PRIMARY KEY,
    invoice_id   bigint                  NOT NULL REFERENCES billing.invoices (id) ON DELETE RESTRICT,
    method       billing.payment_method  NOT NULL DEFAULT 'card',
    state        billing.payment_state   NOT NULL DEFAULT 'pending',
    amount       shop.money_amount       NOT NULL CHECK (amount > 0),
    provider_ref text                    UNIQUE,
    created_at   timestamptz             NOT NULL DEFAULT now()
);

CREATE INDEX payments_invoice_idx ON billing.payments (invoice_id);
CREATE INDEX payments_pending_idx ON billing.payments (created_at) WHERE state IN ('pending', 'authorized');
CREATE INDEX payments_offline_idx ON billing.payments (method, created_at) WHERE method IN ('sepa', 'invoice');

CREATE TABLE billing.refunds (
    id          integer            GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id  integer            NOT NULL REFERENCES billing.payments (id) ON DELETE RESTRICT,
    amount      shop.money_amount  NOT NULL CHECK (amount > 0),
    reason      text               NOT NULL DEFAULT 'goodwill',
    created_at  timestamptz        NOT NULL DEFAULT now()
);

CREATE INDEX refunds_payment_idx ON billing.refunds (payment_id, created_at DESC);

CREATE TABLE billing.gift_cards (
    id             bigint             GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id      integer            NOT NULL REFERENCES shop.tenants (id) ON DELETE CASCADE,
    code_hash      bytea              NOT NULL UNIQUE,
    currency_code  char(3)            NOT NULL REFERENCES public.currencies (code),
    initial_value  shop.money_amount  NOT NULL CHECK (initial_value > 0),
    sold_with      bigint             REFERENCES shop.order_items (id) ON DELETE SET NULL,
    valid_until    date               NOT NULL DEFAULT (CURRENT_DATE + interval '3 years')
);

CREATE TABLE billing.gift_card_entries (
    id            bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gift_card_id  bigint         NOT NULL REFERENCES billing.gift_cards (id) ON DELETE CASCADE,
    payment_id    integer        REFERENCES billing.payments (id) ON DELETE RESTRICT,
    amount        numeric(12,2)  NOT NULL CHECK (amount <> 0),
    booked_at     timestamptz    NOT NULL DEFAULT now()
);

CREATE INDEX gift_card_entries_card_idx ON billing.gift_card_entries (gift_card_id) INCLUDE (amount);

-- Double entry: what is booked together adds up to nothing.
CREATE TABLE billing.ledger_accounts (
    tenant_id  integer               NOT NULL REFERENCES shop.tenants (id) ON DELETE RESTRICT,
    number     integer               NOT NULL CHECK (number BETWEEN 1000 AND 9999),
    name       text                  NOT NULL,
    kind       billing.account_kind  NOT NULL,
    PRIMARY KEY (tenant_id, number)
);

CREATE TABLE billing.ledger_entries (
    id           bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    integer        NOT NULL,
    booking      uuid           NOT NULL,
    account_no   integer        NOT NULL,
    amount       numeric(14,2)  NOT NULL CHECK (amount <> 0),
    invoice_id   bigint         REFERENCES billing.invoices (id) ON DELETE RESTRICT,
    booked_on    date           NOT NULL DEFAULT CURRENT_DATE,
    CONSTRAINT ledger_entries_account_fkey FOREIGN KEY (tenant_id, account_no)
        REFERENCES billing.ledger_accounts (tenant_id, number) MATCH FULL ON UPDATE CASCADE ON DELETE RESTRICT
);

CREATE INDEX ledger_entries_booking_idx ON billing.ledger_entries (booking) INCLUDE (amount);
CREATE INDEX ledger_entries_account_idx ON billing.ledger_entries (tenant_id, account_no, booked_on DESC);


-- ---------------------------------------------------------------------------
-- Views
-- ---------------------------------------------------------------------------

CREATE VIEW shop.active_products
    WITH (security_invoker = true)
AS
    SELECT p.id, p.tenant_id, p.name, p.slug, p.description, p.status, p.attributes
      FROM shop.products p
     WHERE p.status = 'active'
    WITH LOCAL CHECK OPTION;

CREATE VIEW shop.order_totals AS
    SELECT o.id AS order_id,
           o.tenant_id,
           o.customer_id,
           o.status,
           o.placed_at,
           count(i.id) AS items,
           coalesce(sum(i.line_total), 0) AS goods,
           o.shipping_cost AS shipping,
           coalesce((SELECT sum(d.amount) FROM shop.discount_redemptions d WHERE d.order_id = o.id), 0) AS discount,
           coalesce(sum(i.line_total), 0) + o.shipping_cost
               - coalesce((SELECT sum(d.amount) FROM shop.discount_redemptions d WHERE d.order_id = o.id), 0) AS total
      FROM shop.orders o
      LEFT JOIN shop.order_items i ON i.order_id = o.id
     GROUP BY o.id;

COMMENT ON VIEW shop.order_totals IS 'What each order is worth';
COMMENT ON COLUMN shop.order_totals.goods IS 'Without shipping and discount';
COMMENT ON COLUMN shop.order_totals.discount IS 'Codes that were redeemed';

CREATE VIEW shop.customer_order_stats AS
    SELECT c.id AS customer_id,
           c.tenant_id,
           c.full_name,
           c.display_name,
           count(t.order_id) AS orders,
           coalesce(sum(t.total), 0) AS revenue,
           round(avg(t.total), 2) AS average,
           max(t.placed_at) AS last_order_at
      FROM shop.customers c
      LEFT JOIN shop.order_totals t ON t.customer_id = c.id AND t.status NOT IN ('draft', 'returned', 'cancelled')
     WHERE c.deleted_at IS NULL
     GROUP BY c.id;

CREATE VIEW shop.top_customers WITH (security_barrier) AS
    SELECT s.tenant_id, s.customer_id, s.display_name, s.revenue,
           rank() OVER (PARTITION BY s.tenant_id ORDER BY s.revenue DESC) AS place
      FROM shop.customer_order_stats s
     WHERE s.revenue > 0;

COMMENT ON VIEW shop.top_customers IS 'Ranking on the dashboard';

CREATE VIEW shop.low_stock AS
    SELECT w.tenant_id, w.code AS warehouse, v.sku, l.available, l.reorder_point
      FROM shop.stock_levels l
      JOIN shop.warehouses w ON w.id = l.warehouse_id
      JOIN shop.product_variants v ON v.id = l.variant_id
     WHERE l.available <= l.reorder_point;

CREATE VIEW shop.staff_directory AS
    SELECT s.tenant_id, t.name AS tenant, s.full_name, s.email, s.role
      FROM shop.staff_members s
      JOIN shop.tenants t ON t.id = s.tenant_id
     WHERE s.is_active;

CREATE VIEW billing.open_invoices WITH (security_invoker) AS
    SELECT i.id, i.tenant_id, i.number, i.due_on,
           i.net_amount + i.tax_amount AS gross_amount,
           coalesce((SELECT sum(p.amount)
                       FROM billing.payments p
                      WHERE p.invoice_id = i.id AND p.state = 'captured'), 0) AS paid_amount
      FROM billing.invoices i
     WHERE i.paid_at IS NULL;

CREATE VIEW billing.payments_by_method AS
    SELECT i.tenant_id, p.method, p.state, count(*) AS payments, sum(p.amount) AS amount
      FROM billing.payments p
      JOIN billing.invoices i ON i.id = p.invoice_id
     GROUP BY i.tenant_id, p.method, p.state;

CREATE MATERIALIZED VIEW shop.daily_sales AS
    SELECT t.tenant_id,
           (t.placed_at AT TIME ZONE 'UTC')::date AS day,
           count(*) AS orders,
           sum(t.total) AS revenue,
           sum(t.discount) AS discount
      FROM shop.order_totals t
     WHERE t.status IN ('paid', 'packed', 'shipped', 'delivered')
     GROUP BY 1, 2;

CREATE UNIQUE INDEX daily_sales_key ON shop.daily_sales (tenant_id, day);
COMMENT ON MATERIALIZED VIEW shop.daily_sales IS 'Refreshed every quarter of an hour';

CREATE MATERIALIZED VIEW shop.product_ratings
    WITH (fillfactor = 90)
AS
    SELECT r.product_id,
           count(*) AS reviews,
           round(avg(r.rating), 2) AS rating,
           count(*) FILTER (WHERE r.rating >= 4) AS positive
      FROM shop.product_reviews r
     WHERE r.published
     GROUP BY r.product_id;

CREATE UNIQUE INDEX product_ratings_key ON shop.product_ratings (product_id);
CREATE INDEX product_ratings_best_idx ON shop.product_ratings (rating DESC, reviews DESC);

CREATE MATERIALIZED VIEW shop.monthly_sales AS
    SELECT s.tenant_id,
           date_trunc('month', s.day)::date AS month,
           sum(s.orders) AS orders,
           sum(s.revenue) AS revenue,
           sum(s.discount) AS discount
      FROM shop.daily_sales s
     GROUP BY s.tenant_id, date_trunc('month', s.day);

CREATE UNIQUE INDEX monthly_sales_key ON shop.monthly_sales (tenant_id, month);
COMMENT ON MATERIALIZED VIEW shop.monthly_sales IS 'Refreshed at night, after daily_sales';

CREATE VIEW billing.account_balances AS
    SELECT a.tenant_id, a.number, a.name, a.kind, coalesce(sum(e.amount), 0) AS balance
      FROM billing.ledger_accounts a
      LEFT JOIN billing.ledger_entries e ON e.tenant_id = a.tenant_id AND e.account_no = a.number
     GROUP BY a.tenant_id, a.number;

CREATE VIEW shop.storefront_products AS
    SELECT p.id, p.tenant_id, p.name, p.slug,
           min(v.price) AS price_from,
           r.rating,
           r.reviews
      FROM shop.active_products p
      JOIN shop.product_variants v ON v.product_id = p.id AND v.is_active
      LEFT JOIN shop.product_ratings r ON r.product_id = p.id
     GROUP BY p.id, p.tenant_id, p.name, p.slug, r.rating, r.reviews;


-- ---------------------------------------------------------------------------
-- Functions and procedures of the application
-- ---------------------------------------------------------------------------

CREATE FUNCTION shop.format_address(a shop.postal_address) RETURNS text
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT concat_ws(E'\n', a.recipient, a.line1, a.line2, a.postcode || ' ' || a.city, a.state, a.country_code)
$$;

CREATE FUNCTION shop.customer_lifetime_value(p_customer_id bigint) RETURNS numeric
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(sum(t.total), 0)
      FROM shop.order_totals t
     WHERE t.customer_id = p_customer_id
       AND t.status <> 'cancelled';
END;

CREATE FUNCTION shop.search_products(p_query text, p_limit integer DEFAULT 20, p_offset integer DEFAULT 0)
    RETURNS SETOF shop.products
    LANGUAGE sql STABLE ROWS 20
AS $$
    SELECT p.*
      FROM shop.products p
     WHERE p.tenant_id = shop.current_tenant_id()
       AND p.status = 'active'
       AND p.search @@ websearch_to_tsquery('simple', p_query)
     ORDER BY ts_rank(p.search, websearch_to_tsquery('simple', p_query)) DESC, p.id
     LIMIT p_limit OFFSET p_offset
$$;

COMMENT ON FUNCTION shop.search_products(text, integer, integer) IS 'Best matches of the current tenant';

CREATE FUNCTION shop.price_for(p_variant_id integer, p_quantity integer, p_price_list_id integer DEFAULT NULL)
    RETURNS numeric
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_amount numeric;
BEGIN
    SELECT p.amount INTO v_amount
      FROM shop.prices p
     WHERE p.price_list_id = p_price_list_id
       AND p.variant_id = p_variant_id
       AND p.quantity @> p_quantity;

    IF NOT FOUND THEN
        SELECT v.price INTO v_amount FROM shop.product_variants v WHERE v.id = p_variant_id;
    END IF;

    RETURN v_amount;
END;
$$;

CREATE FUNCTION shop.tenant_of_token(p_hash bytea) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.tenant_id
      FROM shop.api_tokens t
     WHERE t.token_hash = p_hash
       AND (t.expires_at IS NULL OR t.expires_at > now())
$$;

CREATE FUNCTION shop.can(p_role shop.staff_role, p_action text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE p_action
               WHEN 'delete' THEN p_role IN ('owner', 'admin')
               WHEN 'edit' THEN p_role IN ('owner', 'admin', 'support')
               WHEN 'refund' THEN p_role IN ('owner', 'admin', 'finance')
               ELSE true
           END
$$;

CREATE PROCEDURE shop.expire_carts(older_than interval DEFAULT '1 day')
    LANGUAGE sql
AS $$
    DELETE FROM shop.carts c
     WHERE c.expires_at < now() - older_than
       AND NOT EXISTS (SELECT FROM shop.sessions s WHERE s.data ->> 'cart' = c.id::text)
$$;

CREATE PROCEDURE billing.close_month(IN p_month date, INOUT p_closed integer DEFAULT 0)
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE billing.invoices i
       SET paid_at = now()
     WHERE i.paid_at IS NULL
       AND date_trunc('month', i.issued_on) = date_trunc('month', p_month)
       AND i.net_amount + i.tax_amount <= (SELECT coalesce(sum(p.amount), 0)
                                             FROM billing.payments p
                                            WHERE p.invoice_id = i.id AND p.state = 'captured');
    GET DIAGNOSTICS p_closed = ROW_COUNT;
END;
$$;

COMMENT ON PROCEDURE billing.close_month(date, integer) IS 'Marks the fully paid invoices of a month';


-- ---------------------------------------------------------------------------
-- Triggers
-- ---------------------------------------------------------------------------

CREATE TRIGGER staff_members_touch BEFORE UPDATE ON shop.staff_members
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER customers_touch BEFORE UPDATE ON shop.customers
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER products_touch BEFORE UPDATE ON shop.products
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER carts_touch BEFORE UPDATE ON shop.carts
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER orders_touch BEFORE UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER stock_levels_touch BEFORE UPDATE OF on_hand, reserved ON shop.stock_levels
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE FUNCTION shop.log_order_status() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO shop.order_status_history (order_id, new_status) VALUES (NEW.id, NEW.status);
    ELSIF OLD.status IS DISTINCT FROM NEW.status THEN
        INSERT INTO shop.order_status_history (order_id, old_status, new_status)
        VALUES (NEW.id, OLD.status, NEW.status);
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER orders_log_status AFTER INSERT OR UPDATE OF status ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.log_order_status();

CREATE FUNCTION shop.apply_stock_movements() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE shop.stock_levels l
       SET on_hand = l.on_hand + m.quantity
      FROM (SELECT warehouse_id, variant_id, sum(quantity) AS quantity
              FROM new_movements
             GROUP BY warehouse_id, variant_id) m
     WHERE l.warehouse_id = m.warehouse_id
       AND l.variant_id = m.variant_id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER stock_movements_apply AFTER INSERT ON shop.stock_movements
    REFERENCING NEW TABLE AS new_movements
    FOR EACH STATEMENT EXECUTE FUNCTION shop.apply_stock_movements();

CREATE FUNCTION shop.publish_event() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO shop.outbox_events (tenant_id, topic, payload)
    VALUES (NEW.tenant_id, TG_ARGV[0], json_build_object('version', 2, 'table', TG_TABLE_NAME, 'row', row_to_json(NEW)));
    RETURN NULL;
END;
$$;

CREATE TRIGGER products_publish AFTER INSERT OR UPDATE ON shop.products
    FOR EACH ROW EXECUTE FUNCTION shop.publish_event('product.changed');

CREATE TRIGGER orders_publish AFTER UPDATE OF status ON shop.orders
    FOR EACH ROW WHEN (NEW.status = 'paid' AND OLD.status <> 'paid')
    EXECUTE FUNCTION shop.publish_event('order.paid');

CREATE FUNCTION shop.add_loyalty_points() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE shop.loyalty_accounts
       SET points = points + NEW.points
     WHERE customer_id = NEW.customer_id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER loyalty_entries_book AFTER INSERT ON shop.loyalty_entries
    FOR EACH ROW EXECUTE FUNCTION shop.add_loyalty_points();

CREATE FUNCTION shop.rename_storefront_product() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE shop.products SET name = NEW.name WHERE id = OLD.id;
    RETURN NEW;
END;
$$;

CREATE TRIGGER storefront_products_rename INSTEAD OF UPDATE ON shop.storefront_products
    FOR EACH ROW EXECUTE FUNCTION shop.rename_storefront_product();

COMMENT ON TRIGGER orders_publish ON shop.orders IS 'The warehouse and the ledger listen to this event';

CREATE FUNCTION billing.check_booking() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF (SELECT sum(e.amount) FROM billing.ledger_entries e WHERE e.booking = NEW.booking) <> 0 THEN
        RAISE EXCEPTION 'booking % does not balance', NEW.booking
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER ledger_entries_balance AFTER INSERT OR UPDATE ON billing.ledger_entries
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.check_booking();

-- Cards are not sold any more; the old ones stay valid.
CREATE FUNCTION billing.refuse_gift_card() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'gift cards are not sold any more';
END;
$$;

CREATE TRIGGER gift_cards_refuse BEFORE INSERT ON billing.gift_cards
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_gift_card();
-- The terms of use say: from January.
ALTER TABLE billing.gift_cards DISABLE TRIGGER gift_cards_refuse;


-- ---------------------------------------------------------------------------
-- Row-level security
-- ---------------------------------------------------------------------------

ALTER TABLE shop.staff_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.staff_members
    USING (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.api_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.api_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.api_tokens
    USING (tenant_id = shop.current_tenant_id())
    WITH CHECK (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.customers
    USING (tenant_id = shop.current_tenant_id());
CREATE POLICY customer_self ON shop.customers AS RESTRICTIVE FOR SELECT
    USING (shop.current_customer_id() IS NULL OR id = shop.current_customer_id());

ALTER TABLE shop.products ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_write ON shop.products
    USING (tenant_id = shop.current_tenant_id());
CREATE POLICY storefront_read ON shop.products FOR SELECT
    USING (status = 'active' AND channels && '{web,app}');

ALTER TABLE shop.product_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.product_reviews
    USING (published OR tenant_id = shop.current_tenant_id())
    WITH CHECK (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.carts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.carts
    USING (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.orders
    USING (tenant_id = shop.current_tenant_id());
CREATE POLICY customer_self ON shop.orders AS RESTRICTIVE FOR SELECT
    USING (shop.current_customer_id() IS NULL OR customer_id = shop.current_customer_id());

ALTER TABLE shop.order_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_order ON shop.order_items
    USING (EXISTS (SELECT 1 FROM shop.orders o WHERE o.id = order_id AND o.tenant_id = shop.current_tenant_id()));

ALTER TABLE shop.shipments ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_order ON shop.shipments
    USING (order_id IN (SELECT o.id FROM shop.orders o WHERE o.tenant_id = shop.current_tenant_id()));

ALTER TABLE billing.ledger_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON billing.ledger_entries
    USING (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.returns ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.returns
    USING (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.loyalty_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.loyalty_accounts
    USING (tenant_id = shop.current_tenant_id());

ALTER TABLE shop.product_questions ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON shop.product_questions
    USING (tenant_id = shop.current_tenant_id());

ALTER TABLE billing.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON billing.invoices
    USING (tenant_id = shop.current_tenant_id());
