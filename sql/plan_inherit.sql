-- What comes from parents, partitioned tables and types: neither said twice nor forgotten.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
-- defaults that come along and are not wanted
SELECT test.case('children created', 'CREATE TABLE p (x int, y text DEFAULT ''y'')', 'CREATE TABLE p (x int, y text DEFAULT ''y'', z int DEFAULT 1); CREATE TABLE c () INHERITS (p); ALTER TABLE c ALTER y DROP DEFAULT, ALTER z SET DEFAULT 9; CREATE TABLE d (y text DEFAULT NULL) INHERITS (c)');
SELECT test.case('a column added above children', 'CREATE TABLE p (x int); CREATE TABLE c () INHERITS (p); CREATE TABLE d () INHERITS (p)', 'CREATE TABLE p (x int, z int DEFAULT 1); CREATE TABLE c () INHERITS (p); ALTER TABLE c ALTER z DROP DEFAULT; CREATE TABLE d () INHERITS (p); ALTER TABLE d ALTER z SET DEFAULT 9');
SELECT test.case('a column added above partitions', 'CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)', 'CREATE TABLE p (a int, c int DEFAULT 1) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); ALTER TABLE p1 ALTER c SET DEFAULT 5; ALTER TABLE p2 ALTER c DROP DEFAULT');
-- the type comes from above, settings do not
SELECT test.case('a type above, settings below', 'CREATE TABLE p (a int, b text) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)', 'CREATE TABLE p (a int, b varchar(20) NOT NULL) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); ALTER TABLE ONLY p ALTER b SET STATISTICS 5; ALTER TABLE ONLY p1 ALTER b SET STATISTICS 77');
SELECT test.case('an enum above made anew', 'CREATE TYPE e AS ENUM (''a'', ''b''); CREATE TABLE p (x int, e e); CREATE TABLE c () INHERITS (p)', 'CREATE TYPE e AS ENUM (''b''); CREATE TABLE p (x int, e e); CREATE TABLE c () INHERITS (p)');
-- what joins or leaves has to do by itself what is done above
SELECT test.case('a table inherits what it has', 'CREATE TABLE p (x int); CREATE TABLE c (x int)', 'CREATE TABLE p (x bigint, w int); CREATE TABLE c (x bigint, w int) INHERITS (p)');
SELECT test.case('a partition leaves, and loses a column', 'CREATE TABLE p (a int, b text) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)', 'CREATE TABLE p (a int, b text) PARTITION BY LIST (a); CREATE TABLE p1 (a int)');
SELECT test.case('a partition gets other bounds, a column and a check', 'CREATE TABLE p (a int, b int, c text) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY RANGE (b); CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (9)', 'CREATE TABLE p (a int, b int, c varchar(9), d int DEFAULT 2, CHECK (a > 0)) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1, 3) PARTITION BY RANGE (b); CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (9)');
-- typed tables
SELECT test.case('a type with typed tables', 'CREATE TYPE t AS (a int, b text); CREATE TABLE o OF t (PRIMARY KEY (a)); CREATE TABLE q (a int, b text)', 'CREATE TYPE t AS (a bigint, b text, c int); CREATE TABLE o OF t (PRIMARY KEY (a)); CREATE TABLE q OF t');
SELECT test.case('no longer of a type', 'CREATE TYPE t AS (a int, b text); CREATE TABLE o OF t', 'CREATE TYPE t AS (a int, b text, c int); CREATE TABLE o (a int)');
