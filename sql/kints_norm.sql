-- What the extension puts into a database, and that all of it explains itself.
CREATE TEMPORARY VIEW members AS
SELECT d.classid, d.objid, d.classid::regclass AS catalog, pg_describe_object(d.classid, d.objid, 0) AS object
  FROM pg_depend AS d
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'kints_norm');

SELECT object, obj_description(objid, catalog::text) AS comment FROM members ORDER BY object COLLATE "C";

-- No member without a comment, but the sequence of an identity column; no column without one.
SELECT object FROM members
 WHERE obj_description(objid, catalog::text) IS NULL
   AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND relkind = 'S');
SELECT object, attname
  FROM members JOIN pg_attribute ON attrelid = objid AND classid = 'pg_class'::regclass
 WHERE attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
   AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND relkind = 'S');
SELECT obj_description(oid, 'pg_extension') AS comment FROM pg_extension WHERE extname = 'kints_norm';
SELECT obj_description('kints'::regnamespace, 'pg_namespace') AS comment;

-- No function with an argument or a column of its result that has no name.
SELECT object
  FROM members JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass
 WHERE coalesce(cardinality(proargnames), 0) < coalesce(cardinality(proallargtypes), pronargs)
    OR '' = ANY (proargnames);
SELECT count(*) > 10 AS there_are_functions FROM members WHERE classid = 'pg_proc'::regclass;

-- As \df shows them.
SELECT proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
  FROM members JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass
 ORDER BY proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";

-- The settings are there once the module is loaded.
SELECT kints_fingerprint('{test}') IS NOT NULL AS is_loaded;
SELECT name, setting, enumvals, context, short_desc, extra_desc FROM pg_settings WHERE name LIKE 'kints.%' ORDER BY name;
SELECT test.fails('SET kints.no_such = 1');
SELECT test.fails('SET kints.elaborate_in = nowhere');
