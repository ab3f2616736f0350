-- seed.sql: up to three rows in every table, of values that its column types accept.
--
-- Best effort: a row that a constraint or a trigger refuses is left out.  Tables
-- are filled after those they refer to, and foreign keys get values found there.
-- Where an identity or a sequence gives the value, it is left to do so.

SET statement_timeout = '30s';
SET search_path = pg_catalog, public;
SET check_function_bodies = off;
SET client_min_messages = error;

-- The i-th value of a type, as text; NULL where we know none.
CREATE FUNCTION pg_temp.value_of(of_type oid, modifier int, i int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t pg_type;
    labels text[];
    day date := date '2024-01-01' + i;
BEGIN
    SELECT * INTO t FROM pg_type WHERE oid = of_type;
    CASE t.typtype
        WHEN 'd' THEN
            RETURN pg_temp.value_of(t.typbasetype, t.typtypmod, i);
        WHEN 'e' THEN
            SELECT array_agg(enumlabel ORDER BY enumsortorder) INTO labels FROM pg_enum WHERE enumtypid = of_type;
            RETURN labels[1 + (i - 1) % cardinality(labels)];
        WHEN 'c' THEN
            RETURN (SELECT '(' || string_agg(quote_ident(pg_temp.value_of(atttypid, atttypmod, i)), ',' ORDER BY attnum) || ')'
                      FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped);
        WHEN 'r' THEN
            RETURN (SELECT '[' || pg_temp.value_of(rngsubtype, -1, 2 * i) || ',' || pg_temp.value_of(rngsubtype, -1, 2 * i + 1) || ')'
                      FROM pg_range WHERE rngtypid = of_type);
        WHEN 'm' THEN
            RETURN (SELECT '{' || pg_temp.value_of(rngtypid, -1, i) || '}' FROM pg_range WHERE rngmultitypid = of_type);
        ELSE NULL;
    END CASE;
    IF t.typcategory = 'A' AND t.typelem <> 0 THEN
        RETURN (SELECT '{' || CASE WHEN v IS NOT NULL THEN '"' || replace(replace(v, '\', '\\'), '"', '\"') || '"' ELSE '' END || '}'
                  FROM pg_temp.value_of(t.typelem, modifier, i) v);
    END IF;
    RETURN CASE t.typname
        WHEN 'numeric' THEN CASE WHEN modifier >= 4 AND ((modifier - 4) >> 16) <= ((modifier - 4) & 1023) THEN '0' ELSE i::text END
        WHEN 'bool' THEN (i % 2 = 1)::text
        WHEN 'date' THEN day::text
        WHEN 'timestamp' THEN day::text
        WHEN 'timestamptz' THEN day::text
        WHEN 'time' THEN lpad(i::text, 2, '0') || ':00'
        WHEN 'timetz' THEN lpad(i::text, 2, '0') || ':00+00'
        WHEN 'interval' THEN i || ' hours'
        WHEN 'uuid' THEN lpad(i::text, 32, '0')
        WHEN 'json' THEN '{"k": ' || i || '}'
        WHEN 'jsonb' THEN '{"k": ' || i || '}'
        WHEN 'xml' THEN '<v>' || i || '</v>'
        WHEN 'bytea' THEN '\x' || lpad(i::text, 2, '0')
        WHEN 'bit' THEN lpad(right(i::bit(8)::text, greatest(modifier, 1)), greatest(modifier, 1), '0')
        WHEN 'varbit' THEN '1'
        WHEN 'inet' THEN '10.0.0.' || i
        WHEN 'cidr' THEN '10.0.0.' || i || '/32'
        WHEN 'macaddr' THEN '08:00:2b:01:02:' || lpad(i::text, 2, '0')
        WHEN 'macaddr8' THEN '08:00:2b:01:02:03:04:' || lpad(i::text, 2, '0')
        WHEN 'point' THEN format('(%s,%s)', i, i)
        WHEN 'line' THEN format('{1,%s,0}', i)
        WHEN 'lseg' THEN format('[(0,0),(%s,%s)]', i, i)
        WHEN 'box' THEN format('(%s,%s),(0,0)', i, i)
        WHEN 'path' THEN format('((0,0),(%s,%s))', i, i)
        WHEN 'polygon' THEN format('((0,0),(%s,0),(%s,%s))', i, i, i)
        WHEN 'circle' THEN format('<(0,0),%s>', i)
        WHEN 'tsvector' THEN 'a:' || i
        WHEN 'tsquery' THEN 'a'
        WHEN 'pg_lsn' THEN '0/' || i
        WHEN 'hstore' THEN 'a=>' || i
        WHEN 'ltree' THEN 'a.' || i
        WHEN 'regclass' THEN 'pg_class'
        WHEN 'regtype' THEN 'int4'
        ELSE i::text
    END;
END $$;

-- A value that the table's partition bound admits in a column, or NULL.
CREATE FUNCTION pg_temp.bound_of(relation regclass, col name) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(substring(pg_get_expr(c.relpartbound, c.oid) FROM '^FOR VALUES FROM \(''([^'']*)'''),
                    substring(pg_get_expr(c.relpartbound, c.oid) FROM '^FOR VALUES IN \(''([^'']*)'''),
                    substring(pg_get_expr(c.relpartbound, c.oid) FROM '^FOR VALUES (?:FROM|IN) \((\d+)'))
      FROM pg_class c
      JOIN pg_inherits i ON i.inhrelid = c.oid
      JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
      JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
     WHERE c.oid = relation AND c.relispartition AND a.attname = col
$$;

-- What the i-th row of a table gets: column, literal and whether it can do without.
CREATE FUNCTION pg_temp.values_of(relation regclass, i int, OUT col name, OUT value text, OUT is_needed bool)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    found_keys jsonb := '{}';
    k record;
    one jsonb;
BEGIN
    FOR k IN SELECT c.confrelid::regclass AS target,
                    (SELECT string_agg(format('%L, %I::text', a.attname, f.attname), ', ')
                       FROM unnest(c.conkey, c.confkey) AS u(own, other)
                       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.own
                       JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = u.other) AS items
               FROM pg_constraint c
              WHERE c.conrelid = relation AND c.contype = 'f' ORDER BY c.conname
    LOOP
        EXECUTE format('SELECT jsonb_build_object(%s) FROM %s ORDER BY 1 OFFSET %s %% greatest((SELECT count(*) FROM %s), 1) LIMIT 1',
                       k.items, k.target, i - 1, k.target) INTO one;
        found_keys := found_keys || coalesce(one, '{}');
    END LOOP;
    RETURN QUERY
    SELECT a.attname,
           CASE WHEN found_keys ? a.attname THEN found_keys ->> a.attname
                WHEN EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = relation AND c.contype = 'f' AND a.attnum = ANY (c.conkey)) THEN NULL
                ELSE coalesce(pg_temp.bound_of(relation, a.attname), pg_temp.value_of(a.atttypid, a.atttypmod, i))
           END,
           a.attnotnull AND d.oid IS NULL
      FROM pg_attribute a
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attidentity = '' AND a.attgenerated = ''
       AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') NOT LIKE 'nextval(%'
     ORDER BY a.attnum;
END $$;

-- One row: with all columns, or else with those that it cannot do without.
CREATE FUNCTION pg_temp.add_row(relation regclass, i int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    only_needed bool;
    cols text;
    vals text;
BEGIN
    FOREACH only_needed IN ARRAY '{f,t}'::bool[] LOOP
        BEGIN
            SELECT string_agg(quote_ident(v.col), ', '), string_agg(quote_nullable(v.value), ', ')
              INTO cols, vals
              FROM pg_temp.values_of(relation, i) v WHERE v.is_needed OR NOT only_needed;
            EXECUTE CASE WHEN cols IS NULL THEN format('INSERT INTO %s DEFAULT VALUES', relation)
                         ELSE format('INSERT INTO %s (%s) VALUES (%s)', relation, cols, vals) END;
            SET CONSTRAINTS ALL IMMEDIATE;
            RETURN;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $$;

DO $$
DECLARE
    todo oid[];
    ready oid[];
    relation oid;
BEGIN
    SELECT array_agg(c.oid ORDER BY c.oid) INTO todo
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname NOT IN ('information_schema', 'kints') AND n.nspname NOT LIKE 'pg\_%'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
    WHILE todo <> '{}' LOOP
        SELECT array_agg(t) INTO ready FROM unnest(todo) t
         WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = t AND k.confrelid <> t AND k.confrelid = ANY (todo));
        ready := coalesce(ready, todo);
        FOREACH relation IN ARRAY ready LOOP
            -- A user's trigger may refuse anything; without foreign keys nothing is lost by leaving triggers out.
            PERFORM set_config('session_replication_role',
                               CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = relation) THEN 'origin' ELSE 'replica' END, true);
            FOR i IN 1 .. 3 LOOP
                PERFORM pg_temp.add_row(relation::regclass, i);
            END LOOP;
        END LOOP;
        SELECT coalesce(array_agg(t), '{}') INTO todo FROM unnest(todo) t WHERE t <> ALL (ready);
    END LOOP;
END $$;
