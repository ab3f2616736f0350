-- Runs first: the extension, and what the other files use, in schema test.
SET client_min_messages = warning;
CREATE EXTENSION kints_norm;
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA test;

-- One step of a plan as a line: severity, lock, statement, hazards.
CREATE FUNCTION test.step(severity text, lock text, kind text, object text, sql text, hazards text[])
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT concat_ws(' ', severity, '(' || lock || ')')
		|| ': ' || coalesce(sql, kind || ' ' || object)
		|| coalesce(nullif(E'\n    ! ' || array_to_string(hazards, '; '), E'\n    ! '), '')
$$;

CREATE FUNCTION test.plan(desired text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(test.step(severity, lock, kind, object, sql, hazards), E'\n' ORDER BY step),
		'nothing to do')
	FROM public.kints_plan(desired, options)
$$;

CREATE FUNCTION test.plan(desired jsonb, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(test.step(severity, lock, kind, object, sql, hazards), E'\n' ORDER BY step),
		'nothing to do')
	FROM public.kints_plan(desired, options)
$$;

CREATE FUNCTION test.diff(a jsonb, b jsonb) RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(test.step(severity, lock, kind, object, sql, hazards), E'\n' ORDER BY step),
		'nothing to do')
	FROM public.kints_diff(a, b)
$$;

-- What a statement fails with; what it leaves behind is undone.  Fingerprints
-- hang on the names of the roles, so they are not shown; nor are directories,
-- nor the numbers of migrations, which hang on what ran before.
CREATE FUNCTION test.fails(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; details text; hint text; context text;
BEGIN
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION USING ERRCODE = 'TEST0';
	EXCEPTION
		WHEN SQLSTATE 'TEST0' THEN
			RETURN 'does not fail';
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
				details = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	END;
	SELECT string_agg(line, E'\n' ORDER BY n) INTO context
	FROM regexp_split_to_table(context, E'\n') WITH ORDINALITY AS t (line, n)
	WHERE line ~ '^(line \d+ of the|step \d+:)';
	RETURN concat_ws(E'\n', state || ': ' || regexp_replace(message, 'migration \d+', 'migration <n>'),
		'DETAIL: ' || nullif(regexp_replace(regexp_replace(details, '[0-9a-f]{64}', '<fingerprint>', 'g'),
			'"/\S+/extension/', '"<directory>/', 'g'), ''),
		'HINT: ' || nullif(hint, ''), 'CONTEXT: ' || context);
END
$$;

CREATE FUNCTION test.plan_fails(desired text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT test.fails(format('SELECT * FROM public.kints_plan(%L::text, %L)', desired, options))
$$;

-- Whether the undo texts of a plan, given from the last to the first, lead from schema s back
-- to the snapshot before: NULL, or what is wrong.  Nothing of it stays.
CREATE FUNCTION test.undone(undos text[], before jsonb, fingerprint text) RETURNS text
LANGUAGE plpgsql SET client_min_messages = warning SET check_function_bodies = off AS $$
DECLARE
	undo text;
	rest text;
BEGIN
	FOREACH undo IN ARRAY undos LOOP
		EXECUTE undo;
	END LOOP;
	IF public.kints_fingerprint('{s}') <> fingerprint THEN
		SELECT string_agg(d.sql, E'\n' ORDER BY d.step) INTO rest
		FROM public.kints_diff(public.kints_snapshot('{s}'), before) AS d;
		rest := concat_ws(E'\n', 'undo leads elsewhere', rest);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'TEST0';
EXCEPTION
	WHEN SQLSTATE 'TEST0' THEN
		RETURN rest;
	WHEN OTHERS THEN
		RETURN 'undo: ' || SQLSTATE || ': ' || SQLERRM || E'\n' || undo;
END
$$;

/*
 * A schema s is loaded with one script and brought to what another one says.
 * verdict is ok if the second plan has nothing to run, the result is what the script
 * itself would have made, and both the undo of its steps and the way back lead
 * to where it began.  Nothing of it stays.
 */
CREATE FUNCTION test.try(from_sql text, to_sql text, options jsonb, OUT plan text, OUT verdict text)
LANGUAGE plpgsql SET client_min_messages = warning SET check_function_bodies = off AS $$
DECLARE
	at text := 'load';
	details text;
	first text;
	second text;
	direct text;
	steps int;
	before jsonb;
	undos text[];
	undo_verdict text;
	is_part boolean := options ->> 'allow' = 'part';
BEGIN
	options := (options - 'allow') || '{"schemas": ["s"]}';
	-- A schema that is planned and not mentioned is one to be dropped.
	IF to_sql = '' THEN
		to_sql := 'CREATE SCHEMA IF NOT EXISTS s';
	END IF;
	BEGIN
		PERFORM set_config('search_path', 's, public', true);
		CREATE SCHEMA s;
		EXECUTE replace(from_sql, 'CONCURRENTLY', '');
		first := public.kints_fingerprint('{s}');
		before := public.kints_snapshot('{s}');
		at := 'plan';
		plan := test.plan(to_sql, options);
		SELECT coalesce(array_agg(p.undo ORDER BY p.step DESC), '{}') INTO undos
		FROM public.kints_plan(to_sql, options) AS p WHERE p.undo IS NOT NULL;
		at := 'apply';
		SELECT count(*) INTO steps FROM public.kints_apply(to_sql, options || '{"allow": "all"}');
		second := public.kints_fingerprint('{s}');
		at := 'second plan';
		SELECT string_agg(sql, E'\n' ORDER BY step) INTO verdict FROM public.kints_plan(to_sql, options) WHERE sql IS NOT NULL;
		IF verdict IS NOT NULL THEN
			RAISE EXCEPTION USING MESSAGE = verdict;
		END IF;
		at := 'load directly';
		BEGIN
			DROP SCHEMA s CASCADE;
			CREATE SCHEMA s;
			EXECUTE replace(to_sql, 'CONCURRENTLY', '');
			direct := public.kints_fingerprint('{s}');
			RAISE EXCEPTION USING ERRCODE = 'TEST1';
		EXCEPTION WHEN SQLSTATE 'TEST1' THEN
			IF direct <> second AND is_part IS NOT TRUE THEN
				RAISE EXCEPTION 'the result is not what the script makes';
			END IF;
		END;
		undo_verdict := test.undone(undos, before, first);
		at := 'roll back';
		IF steps > 0 THEN
			PERFORM FROM public.kints_rollback(1, '{"allow": "all"}');
		END IF;
		IF public.kints_fingerprint('{s}') <> first THEN
			RAISE EXCEPTION 'the way back leads elsewhere';
		END IF;
		verdict := coalesce(undo_verdict, 'ok');
		RAISE EXCEPTION USING ERRCODE = 'TEST0';
	EXCEPTION
		WHEN SQLSTATE 'TEST0' THEN
			NULL;
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS details = PG_EXCEPTION_DETAIL;
			verdict := concat_ws(E'\n', at || ': ' || SQLSTATE || ': ' || regexp_replace(SQLERRM, 'migration \d+', 'migration <n>'),
				nullif(regexp_replace(details, '[0-9a-f]{64}', '<fingerprint>', 'g'), ''));
	END;
END
$$;

CREATE FUNCTION test.law(from_sql text, to_sql text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT verdict FROM test.try(from_sql, to_sql, options)
$$;

-- A named case: the plan, and that the law holds for it, there and back.
CREATE FUNCTION test.case(name text, from_sql text, to_sql text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT concat_ws(E'\n', '## ' || name, plan, '=> ' || verdict, '<= ' || nullif(back, 'ok'))
	FROM test.try(from_sql, to_sql, options),
		LATERAL (SELECT CASE WHEN options ? 'renames' OR from_sql ~ 'INSERT INTO' THEN 'ok'
			ELSE test.law(to_sql, from_sql, options) END) AS b (back)
$$;

-- The same for one that says less than all, so that loading it gives something else.
CREATE FUNCTION test.part(name text, from_sql text, to_sql text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT concat_ws(E'\n', '## ' || name, plan, '=> ' || verdict)
	FROM test.try(from_sql, to_sql, options || '{"allow": "part"}')
$$;
-- All versions of the rows, their times numbered in order; "" is now.
CREATE FUNCTION test.shown(tbl text, cols text DEFAULT 'id, a', period text DEFAULT 'sys_period') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH v AS (SELECT ROW(%s)::text AS r, %s AS p FROM %s__history),
			t AS (SELECT at, row_number() OVER (ORDER BY at) AS n FROM (SELECT lower(p) AS at FROM v UNION SELECT upper(p) FROM v) AS x
				WHERE at IS NOT NULL AND at <> 'infinity')
		SELECT r || ' ' || f.n || '-' || coalesce(u.n::text, '') FROM v JOIN t AS f ON f.at = lower(p) LEFT JOIN t AS u ON u.at = upper(p)
		ORDER BY r COLLATE "C", f.n $q$, cols, period, tbl);
END $$;
