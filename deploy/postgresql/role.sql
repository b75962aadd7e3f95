-- The role that ectoscope connects as: it may read statistics, settings and the catalog, and ask
-- the planner; it changes nothing.  Run it as a superuser, in each database that is looked at:
--
--     psql -d shop -f role.sql
--     psql -d shop -c '\password ectoscope'
--
-- Without the last two grants all works but the check of advised indexes by HypoPG.
-- It may be run again at any time.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ectoscope') THEN
    CREATE ROLE ectoscope;
  END IF;
END
$$;

ALTER ROLE ectoscope LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  CONNECTION LIMIT 4;
-- Whatever client it is used with.
ALTER ROLE ectoscope SET default_transaction_read_only = on;
ALTER ROLE ectoscope SET statement_timeout = '15s';
ALTER ROLE ectoscope SET lock_timeout = '1s';
ALTER ROLE ectoscope SET idle_in_transaction_session_timeout = '60s';

-- Other roles' statements and all settings; the name of the log file.
GRANT pg_monitor TO ectoscope;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_current_logfile() TO ectoscope;

DO $$
BEGIN
  EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO ectoscope',
                            pg_catalog.current_database());
END
$$;

CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

-- HypoPG: hypothetical indexes, in our own session's memory only.  It is a package of its own
-- (postgresql-15-hypopg).
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'hypopg') THEN
    CREATE EXTENSION IF NOT EXISTS hypopg;
  END IF;
END
$$;

-- EXPLAIN asks for the right to read the tables of a statement, although it reads no row.
-- Leave these two out to do without the check; or list the schemas that may be looked at.
GRANT USAGE ON SCHEMA public TO ectoscope;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ectoscope;

-- auto_explain must be silent in the session that uses HypoPG, which it breaks (15 and later can
-- grant that).
DO $$
BEGIN
  IF pg_catalog.current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'GRANT SET ON PARAMETER auto_explain.log_min_duration TO ectoscope';
  END IF;
END
$$;
