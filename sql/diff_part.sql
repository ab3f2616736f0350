-- Indexes of partitions under a column that gets another type: as they were, whatever the server would make of them.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
\set p 'CREATE TABLE p (a int, b int, c text) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (a); CREATE TABLE p2 PARTITION OF p1 FOR VALUES IN (1); '
SELECT test.case('names that the server gives', :'p' || 'CREATE INDEX i ON p (b, c); CREATE INDEX j ON p (b) INCLUDE (c)', replace(:'p', 'b int', 'b bigint') || 'CREATE INDEX i ON p (b, c); CREATE INDEX j ON p (b) INCLUDE (c)');
SELECT test.case('a name of its own', :'p' || 'CREATE INDEX own ON p2 (b); CREATE INDEX i ON p (b)', replace(:'p', 'b int', 'b bigint') || 'CREATE INDEX own ON p2 (b); CREATE INDEX i ON p (b)');
SELECT test.case('options of its own', :'p' || 'CREATE INDEX p1_b_idx ON p1 (b) WITH (fillfactor = 50); CREATE INDEX i ON p (b)', replace(:'p', 'b int', 'b bigint') || 'CREATE INDEX p1_b_idx ON p1 (b) WITH (fillfactor = 50); CREATE INDEX i ON p (b)');
SELECT test.case('a comment', :'p' || 'CREATE INDEX i ON p (c); COMMENT ON INDEX p2_c_idx IS ''c''', replace(:'p', 'c text', 'c varchar(9)') || 'CREATE INDEX i ON p (c); COMMENT ON INDEX p2_c_idx IS ''c''');
SELECT test.case('an expression', :'p' || 'CREATE INDEX i ON p ((b + 1))', replace(:'p', 'b int', 'b bigint') || 'CREATE INDEX i ON p ((b + 1))');
SELECT test.case('one that is not attached', :'p' || 'CREATE INDEX own ON p2 (b)', replace(:'p', 'b int', 'b bigint') || 'CREATE INDEX own ON p2 (b)');
SELECT test.case('keys made', '', :'p' || 'ALTER TABLE p2 ADD CONSTRAINT own UNIQUE (a, b); ALTER TABLE p ADD CONSTRAINT k UNIQUE (a, b)');
-- one that goes takes along what it is attached to
SELECT test.case('by another name', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b); CREATE TABLE r PARTITION OF q DEFAULT; CREATE INDEX ON p (b); ALTER INDEX r_b_idx RENAME TO old', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b); CREATE TABLE r PARTITION OF q DEFAULT; CREATE INDEX ON p (b)');
SELECT test.case('another fillfactor', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1); CREATE INDEX i ON p (b); COMMENT ON INDEX i IS ''x''', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1); CREATE INDEX i ON p (b); ALTER INDEX q_b_idx SET (fillfactor = 50); COMMENT ON INDEX i IS ''x''');
SELECT test.case('with its partition', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1); CREATE TABLE r PARTITION OF p FOR VALUES IN (2); CREATE INDEX i ON p (b)', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE r (a int, b int); CREATE INDEX i ON p (b)');
