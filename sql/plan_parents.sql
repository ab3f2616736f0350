-- Parents: joined before others are left, so that what is inherited stays so.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('another parent, which is new', 'CREATE TABLE p (id bigint NOT NULL); CREATE TABLE c (x int) INHERITS (p)',
	'CREATE TABLE p (y int); CREATE TABLE q (id bigint NOT NULL); CREATE TABLE c (x int) INHERITS (q)');
SELECT test.case('another parent, which was there', 'CREATE TABLE p (id int); CREATE TABLE q (id int); CREATE TABLE c (x int) INHERITS (p)',
	'CREATE TABLE p (id int); CREATE TABLE q (id int); CREATE TABLE c (x int) INHERITS (q)');
SELECT test.case('one more, one less', 'CREATE TABLE p (a int); CREATE TABLE q (b int); CREATE TABLE r (a int); CREATE TABLE c () INHERITS (p, q)',
	'CREATE TABLE p (a int); CREATE TABLE q (b int); CREATE TABLE r (a int); CREATE TABLE c () INHERITS (q, r)');
SELECT test.case('a parent that the table does not fit yet', 'CREATE TABLE p (a int); CREATE TABLE q (a int, b int); CREATE TABLE c (a int) INHERITS (p)',
	'CREATE TABLE p (a int); CREATE TABLE q (a int, b int); CREATE TABLE c (a int, b int) INHERITS (q)');
SELECT test.case('a parent that changes', 'CREATE TABLE p (a int); CREATE TABLE q (a int, b int); CREATE TABLE c (a int) INHERITS (p)',
	'CREATE TABLE p (a int); CREATE TABLE q (a int); CREATE TABLE c (a int) INHERITS (q)');
SELECT test.case('a parent with a check', 'CREATE TABLE p (a int); CREATE TABLE q (a int CHECK (a > 0)); CREATE TABLE c (a int CONSTRAINT q_a_check CHECK (a > 0)) INHERITS (p)',
	'CREATE TABLE p (a int); CREATE TABLE q (a int CHECK (a > 0)); CREATE TABLE c (a int CONSTRAINT q_a_check CHECK (a > 0)) INHERITS (q)');
SELECT test.case('a parent with what is not inherited', 'CREATE TABLE p (a int); CREATE TABLE q (a int PRIMARY KEY CHECK (a > 0) NO INHERIT); CREATE TABLE c () INHERITS (p); ALTER TABLE c ALTER a SET NOT NULL',
	'CREATE TABLE p (a int); CREATE TABLE q (a int PRIMARY KEY CHECK (a > 0) NO INHERIT); CREATE TABLE c () INHERITS (q); ALTER TABLE c ALTER a SET NOT NULL');
-- what cannot be brought about is named: where it is seen, or when it is
CREATE SCHEMA pi;
SET search_path = pi, public;
CREATE TABLE p (a int);
CREATE TABLE q (a int, b int);
CREATE TABLE r (a int);
CREATE TABLE declared (a int, x int);
CREATE TABLE moved () INHERITS (p);
CREATE TABLE swapped () INHERITS (p, r);
\set wanted 'CREATE TABLE p (a int); CREATE TABLE q (a int, b int); CREATE TABLE r (a int); CREATE TABLE declared (x int) INHERITS (p); CREATE TABLE moved () INHERITS (q); CREATE TABLE swapped () INHERITS (r, p)'
SELECT test.plan(:'wanted');
SELECT count(*) FROM kints_apply(:'wanted');
SELECT test.plan(:'wanted');
SELECT count(*) FROM kints_apply(:'wanted');
-- the other way round as well
CREATE TABLE inherited () INHERITS (p);
SELECT kind, object, hazards FROM kints_plan(:'wanted' || '; CREATE TABLE inherited (a int) INHERITS (p)') WHERE object ~ 'inherited';
DROP SCHEMA pi CASCADE;
