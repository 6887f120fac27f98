-- The roles of the services, and what each may do. For psql, as a superuser, on the database `openupr`.
--
-- Safe to run again; run it once before the first `upr db migrate` and after every one (new tables have no rights yet).
-- `openupr_owner` owns the schema and migrates; nobody serves with it. Each service logs in with a role of its own:
-- a search service that is taken over can read what is public, and change nothing.
--
-- Roles log in by the socket as the system user of the same name (peer), or with passwords, where psql finds them in
-- its environment: OWNER_PASSWORD, API_PASSWORD, DELIVER_PASSWORD, SEARCH_PASSWORD and INGEST_PASSWORD.
\set ON_ERROR_STOP on
\set QUIET on

-- All at once: whoever asks meanwhile has the rights of before, and then those of after.
BEGIN;

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['openupr_owner', 'openupr_api', 'openupr_deliver', 'openupr_search', 'openupr_ingest']) AS name
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) \gexec

\getenv owner_password OWNER_PASSWORD
\getenv api_password API_PASSWORD
\getenv deliver_password DELIVER_PASSWORD
\getenv search_password SEARCH_PASSWORD
\getenv ingest_password INGEST_PASSWORD
\if :{?owner_password}
ALTER ROLE openupr_owner PASSWORD :'owner_password';
ALTER ROLE openupr_api PASSWORD :'api_password';
ALTER ROLE openupr_deliver PASSWORD :'deliver_password';
ALTER ROLE openupr_search PASSWORD :'search_password';
ALTER ROLE openupr_ingest PASSWORD :'ingest_password';
\endif

-- The schema `public` belongs to whoever owns the database (PostgreSQL 15).
SELECT format('ALTER DATABASE %I OWNER TO openupr_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format(
    'GRANT CONNECT ON DATABASE %I TO openupr_api, openupr_deliver, openupr_search, openupr_ingest', current_database()
) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO openupr_api, openupr_deliver, openupr_search, openupr_ingest;

-- From the beginning each time, so that what an earlier version of this file gave is taken back.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM openupr_api, openupr_deliver, openupr_search, openupr_ingest;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO openupr_api, openupr_deliver, openupr_search, openupr_ingest;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO openupr_api, openupr_deliver, openupr_ingest;

SELECT coalesce(to_regclass('public.change_head') IS NOT NULL, false) AS migrated \gset
\if :migrated

-- ingest: everything but what belongs to the users of the API.
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO openupr_ingest;
REVOKE ALL ON saved_searches, webhook_attempts, webhook_deliveries, webhook_endpoints, webhook_fanout, webhook_paces,
    webhook_replays, alembic_version FROM openupr_ingest;
GRANT SELECT ON alembic_version TO openupr_ingest;
-- It recognises the keys of who asks it for something, and notes when each was last used.
REVOKE INSERT, DELETE ON api_keys FROM openupr_ingest;

-- api: what belongs to its users. It writes no record.
GRANT INSERT, UPDATE, DELETE ON api_keys, saved_searches, webhook_attempts, webhook_deliveries, webhook_endpoints,
    webhook_fanout, webhook_paces, webhook_replays TO openupr_api;

-- deliver: the queue of webhooks; it forgets old changes, once all have read them. It knows no keys.
REVOKE ALL ON api_keys FROM openupr_deliver;
GRANT INSERT, UPDATE, DELETE ON webhook_attempts, webhook_deliveries, webhook_endpoints, webhook_fanout, webhook_paces,
    webhook_replays, feed_readers TO openupr_deliver;
GRANT DELETE ON changes TO openupr_deliver;

-- search: reads what is public, and notes how far it has read.
REVOKE ALL ON api_keys, saved_searches, webhook_attempts, webhook_deliveries, webhook_endpoints, webhook_fanout,
    webhook_paces, webhook_replays FROM openupr_search;
GRANT INSERT, UPDATE, DELETE ON feed_readers TO openupr_search;

\endif

COMMIT;
