#!/bin/sh
# Makes the passwords and keys that compose.yml needs, in deploy/secrets. What is there already is kept.
#
# Files can be read by all, so that the containers' users can; the folder cannot be entered but by its owner.
# To replace a password: remove its file, run this again, then `docker compose up --detach`.
set -eu
cd "$(dirname "$0")"
umask 022
mkdir -p secrets
chmod 700 secrets
cd secrets

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

keep() { # keep FILE VALUE
    if [ ! -s "$1" ]; then
        printf '%s\n' "$2" >"$1"
    fi
}

keep postgres_password "$(random)"
keep owner_database_url "postgresql://openupr_owner:$(random)@postgres/openupr"
for service in api deliver search ingest; do
    keep "${service}_database_url" "postgresql://openupr_$service:$(random)@postgres/openupr"
done

# Meilisearch works out a key from its id and the master key; meili_keys.py makes the keys of these ids.
keep meili_master_key "$(random)"
derived() { # derived ID
    printf %s "$1" | openssl dgst -sha256 -hmac "$(cat meili_master_key)" | sed 's/.* //'
}
keep meili_search_key "$(derived 5ea7c000-0000-4000-8000-000000000001)"
keep meili_index_key "$(derived 1de00000-0000-4000-8000-000000000002)"
