#!/bin/sh
# In the container `roles` and `grant` of compose.yml: roles.sql, with the passwords that the secrets hold.
set -eu

password_in() {
    sed 's#^postgresql://[^:]*:\([^@]*\)@.*#\1#' "/run/secrets/$1_database_url"
}

OWNER_PASSWORD=$(password_in owner)
API_PASSWORD=$(password_in api)
DELIVER_PASSWORD=$(password_in deliver)
SEARCH_PASSWORD=$(password_in search)
INGEST_PASSWORD=$(password_in ingest)
PGPASSWORD=$(cat /run/secrets/postgres_password)
export OWNER_PASSWORD API_PASSWORD DELIVER_PASSWORD SEARCH_PASSWORD INGEST_PASSWORD PGPASSWORD
exec psql --no-psqlrc --quiet --host=postgres --username=postgres --dbname=openupr --file=/roles.sql
