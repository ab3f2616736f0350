-- A table and its columns renamed in one plan.
SET client_min_messages = warning;
DELETE FROM kints.schema_migrations;
CREATE SCHEMA s;
SET search_path = s, public;
CREATE TABLE s.accounts (id int PRIMARY KEY, mail text CHECK (mail <> ''), "Old Note" text);
CREATE VIEW s.mails AS SELECT mail FROM s.accounts;
INSERT INTO s.accounts VALUES (1, 'a', 'n');
SELECT kints_fingerprint('{s}') AS before \gset
\set wanted 'CREATE TABLE s.users (id int CONSTRAINT accounts_pkey PRIMARY KEY, email text CONSTRAINT accounts_mail_check CHECK (email <> ''''''''), note text); CREATE VIEW s.mails AS SELECT email AS mail FROM s.users'
SELECT replace(:'wanted', '''''', '''') AS wanted \gset

-- by the old name of the table, and by the new one
SELECT sql, undo FROM kints_plan(:'wanted', '{"renames": {"s.accounts": "users", "s.accounts.mail": "email", "s.accounts.\"Old Note\"": "note"}}');
SELECT sql, undo FROM kints_plan(:'wanted', '{"renames": {"s.accounts": "users", "s.users.mail": "email", "s.users.\"Old Note\"": "note"}}');
SELECT test.plan_fails(:'wanted', '{"renames": {"s.accounts": "users", "s.users.male": "email"}}');
SELECT test.plan_fails(:'wanted', '{"renames": {"s.nowhere": "users"}}');

SELECT sql FROM kints_apply(:'wanted', '{"renames": {"s.accounts": "users", "s.accounts.mail": "email", "s.accounts.\"Old Note\"": "note"}}');
SELECT * FROM s.users;

-- said again when it is done, either way
SELECT sql FROM kints_plan(:'wanted', '{"renames": {"s.accounts": "users", "s.accounts.mail": "email", "s.accounts.\"Old Note\"": "note"}}');
SELECT sql FROM kints_plan(:'wanted', '{"renames": {"s.accounts": "users", "s.users.mail": "email"}}');
SELECT sql FROM kints_rollback();
SELECT kints_fingerprint('{s}') = :'before' AS is_back;

-- models say a column's old name, and the table's
SELECT sql FROM kints_plan('{"models": [{"table": "users", "rename_from": "accounts", "fields": [
	{"name": "id", "type": "int32"}, {"name": "email", "type": "string", "tags": "rename:mail"}]}]}'::jsonb)
 WHERE phase = 'rename';
DROP SCHEMA s CASCADE;
