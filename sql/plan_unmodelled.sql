-- What a plan cannot do is in it by name.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA pu;
CREATE COLLATION pu.found FROM "C";
CREATE TEXT SEARCH DICTIONARY pu.both (TEMPLATE = simple);
SELECT object, severity, phase, sql IS NULL, hazards FROM kints_plan('CREATE SCHEMA pu; CREATE COLLATION pu.wanted FROM "C"; CREATE TEXT SEARCH DICTIONARY pu.both (TEMPLATE = simple); ALTER DEFAULT PRIVILEGES IN SCHEMA pu GRANT SELECT ON TABLES TO PUBLIC');
DROP SCHEMA pu CASCADE;
