-- Privileges as the catalogs spell them: whoever has and gives them, whatever the roles are called.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE "regress_ai a/b=c";
CREATE ROLE "regress_ai ""d""";
SELECT test.case('odd names', 'CREATE TABLE t (a int); GRANT SELECT ON t TO "regress_ai a/b=c"; GRANT SELECT (a) ON t TO "regress_ai ""d"""',
	'CREATE TABLE t (a int); GRANT SELECT ON t TO "regress_ai ""d""" WITH GRANT OPTION; GRANT SELECT (a), UPDATE (a) ON t TO "regress_ai a/b=c"');
SELECT test.case('of their owner', 'CREATE TABLE t (a int); ALTER TABLE t OWNER TO "regress_ai a/b=c"; REVOKE DELETE ON t FROM "regress_ai a/b=c"',
	'CREATE TABLE t (a int); ALTER TABLE t OWNER TO "regress_ai ""d"""; REVOKE INSERT ON t FROM "regress_ai ""d"""');
DROP ROLE "regress_ai a/b=c", "regress_ai ""d""";
-- what is no aclitem, with the owner stated or not
CREATE FUNCTION pg_temp.of(acl text, owner text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('format', 1, 'schemas', '["s"]'::jsonb, 'owners', true, 'privileges', true, 'objects', jsonb_build_array(
		jsonb_strip_nulls(jsonb_build_object('kind', 'table', 'schema', 's', 'name', 't', 'owner', owner)) || jsonb_build_object('privileges', jsonb_build_array(acl))))
$$;
SELECT '## ' || acl || E'\n' || concat_ws(E'\n', test.fails(format('SELECT * FROM kints_diff(%L, %L)', pg_temp.of(acl, owner), pg_temp.of('=r/o', owner))))
FROM unnest('{"",a,=,/,a/b,a=,a=r,"a=r/","\"a","\"a=r/b",a=!/b,a=*/b,a=r**/b}'::text[]) WITH ORDINALITY AS t (acl, n), unnest('{o,NULL}'::text[]) WITH ORDINALITY AS o (owner, m) ORDER BY n, m;
