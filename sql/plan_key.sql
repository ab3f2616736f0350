-- Foreign keys to a unique index of a partitioned table.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
\set p 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b); CREATE TABLE r PARTITION OF q DEFAULT; '
SELECT test.case('the index and the key are new', :'p' || 'CREATE TABLE t (a int, b int)', :'p' || 'CREATE UNIQUE INDEX u ON p (a, b); CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES p (a, b))');
SELECT test.case('the index is made anew, and a partition gets other bounds', :'p' || 'CREATE UNIQUE INDEX u ON p (a, b); CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES p (a, b))', replace(:'p', 'DEFAULT', 'FOR VALUES IN (3)') || 'CREATE UNIQUE INDEX u ON p (b, a); CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES p (a, b))');
