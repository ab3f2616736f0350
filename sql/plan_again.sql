-- What a table says of an index that is made anew.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('what a table says of an index that is made anew', 'CREATE TABLE t (a int NOT NULL, b int); CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX i; ALTER TABLE t CLUSTER ON i; CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE INDEX j ON m (a); ALTER MATERIALIZED VIEW m CLUSTER ON j', 'CREATE TABLE t (a int NOT NULL, b int, PRIMARY KEY (a)); CREATE UNIQUE INDEX i ON t (a) INCLUDE (b); ALTER TABLE t REPLICA IDENTITY USING INDEX i; ALTER TABLE t CLUSTER ON t_pkey; CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE INDEX j ON m (a DESC); ALTER MATERIALIZED VIEW m CLUSTER ON j');
SELECT test.case('of a key that is made anew', 'CREATE TABLE t (a int PRIMARY KEY, b int); ALTER TABLE t CLUSTER ON t_pkey', 'CREATE TABLE t (a int, b int, PRIMARY KEY (a) INCLUDE (b)); ALTER TABLE t CLUSTER ON t_pkey');
