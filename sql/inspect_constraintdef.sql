-- What is spelled here for speed is what the server's own function says.
CREATE SCHEMA "Constraint Def";
SET search_path = "Constraint Def", public;
CREATE TABLE other (a integer, b integer, "c d" text, PRIMARY KEY (a), UNIQUE (a, b), UNIQUE ("c d"));
CREATE TABLE keys (
	a integer, b integer, "c d" text, e int4range,
	PRIMARY KEY (a, b), UNIQUE (b), UNIQUE NULLS NOT DISTINCT ("c d"), UNIQUE (a) INCLUDE (b),
	UNIQUE (a, "c d") DEFERRABLE, UNIQUE (b, a) DEFERRABLE INITIALLY DEFERRED,
	UNIQUE ("c d", a) WITH (fillfactor = 50), UNIQUE NULLS NOT DISTINCT (b, "c d") INCLUDE (a),
	CHECK (a > 0), CHECK (b > a) NO INHERIT, EXCLUDE USING gist (e WITH &&) WHERE (a > 1)
);
CREATE TABLE public."Elsewhere" (gone text, id integer PRIMARY KEY);
CREATE TABLE refers (
	a integer REFERENCES other,
	b integer,
	gone text,
	"c d" text REFERENCES other ("c d") ON UPDATE CASCADE ON DELETE SET NULL,
	FOREIGN KEY (a, b) REFERENCES other (a, b) MATCH FULL ON UPDATE RESTRICT ON DELETE SET DEFAULT,
	FOREIGN KEY (a, b) REFERENCES other (a, b) ON DELETE SET NULL (b),
	FOREIGN KEY (a, b) REFERENCES other (a, b) ON DELETE SET DEFAULT (b, a) DEFERRABLE,
	FOREIGN KEY (a) REFERENCES keys (a) DEFERRABLE INITIALLY DEFERRED,
	FOREIGN KEY (a) REFERENCES public."Elsewhere" (id) ON DELETE CASCADE
);
ALTER TABLE refers DROP COLUMN gone;
ALTER TABLE refers ADD FOREIGN KEY (b) REFERENCES keys (b) NOT VALID;
ALTER TABLE refers ADD FOREIGN KEY (b) REFERENCES keys (b) DEFERRABLE NOT VALID;
ALTER TABLE refers ADD CHECK (a < 100) NOT VALID;
CREATE TABLE p (a integer PRIMARY KEY, b integer REFERENCES other (a)) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);

SET search_path = pg_catalog;
WITH spelled AS (
	SELECT object ->> 'name' AS name, object ->> 'parent' AS parent,
		-- These two are read apart.
		object ->> 'definition' || CASE WHEN object ->> 'deferrable' <> '' THEN ' ' || (object ->> 'deferrable') ELSE '' END
		|| CASE WHEN (object ->> 'not_valid')::boolean THEN ' NOT VALID' ELSE '' END AS definition
	FROM jsonb_array_elements(public.kints_snapshot('{"Constraint Def"}') -> 'objects') AS object
	WHERE object ->> 'kind' = 'constraint'
)
SELECT count(*) AS constraints, count(*) FILTER (WHERE definition IS DISTINCT FROM pg_get_constraintdef(oid)) AS wrong
FROM pg_constraint
LEFT JOIN spelled ON name = conname AND parent = (SELECT relname FROM pg_class WHERE oid = conrelid)
WHERE connamespace = '"Constraint Def"'::regnamespace AND NOT (contype = 'f' AND conparentid <> 0);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA "Constraint Def" CASCADE;
DROP TABLE public."Elsewhere";
