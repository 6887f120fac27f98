#!/bin/bash
# Installs OpenUPR on one Debian machine (12 or 13): packages, users, database with roles, units of systemd, a proxy.
#
#   sudo deploy/install.sh [data.example.org]
#
# Run it from a checkout of the release. Run it again to upgrade: what is there is kept, the new version is set up beside
# the old one, the schema is migrated while the old one serves, and the services are then restarted one after the other.
# With a host name the proxy fetches a certificate for it; without one it serves http://127.0.0.1:8080.
set -euo pipefail

site=${1:-}
proxy_changed=no
source_folder=$(cd "$(dirname "$0")/.." && pwd)
services=(upr-index upr-search upr-api upr-deliver upr-ingest)
roles=(openupr_owner openupr_api openupr_deliver openupr_search openupr_ingest)

main() {
    [[ $(id -u) == 0 ]] || stop "run it as root: sudo $0 $site"
    [[ -r /etc/debian_version ]] || stop "this is for Debian; docs/operations.md tells other ways"
    say "packages of Debian" && install_packages
    say "users and folders" && make_users
    say "version $(version)" && install_version
    say "settings in /etc/openupr" && write_settings
    say "database" && prepare_database
    ln --symbolic --force --no-dereference "$(release)" /opt/openupr/current
    say "units" && install_units
}

say() { echo "== $*"; }
stop() {
    echo "install.sh: $*" >&2
    exit 1
}

install_packages() {
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
        caddy ca-certificates postgresql postgresql-client python3-venv
}

make_users() {
    getent group openupr >/dev/null || groupadd --system openupr
    local role
    for role in "${roles[@]}"; do
        getent passwd "$role" >/dev/null ||
            useradd --system --gid openupr --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$role"
    done
    # ingest keeps the documents here, the API shows them, the backup takes them along.
    install --directory --owner=openupr_ingest --group=openupr --mode=2750 /var/lib/openupr
    install --directory --owner=openupr_owner --group=openupr --mode=0700 /var/backups/openupr
    install --directory --mode=0755 /opt/openupr /etc/openupr
}

version() { sed -n 's/^version = "\(.*\)"/\1/p' "$source_folder/pyproject.toml"; }

# A version is known by its number and by what it consists of, so that no running one is ever changed.
release() {
    local content
    content=$(cd "$source_folder" && find services migrations requirements pyproject.toml -type f ! -name '*.pyc' \
        -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
    echo "/opt/openupr/$(version)-$content"
}

install_version() {
    local target
    target=$(release)
    [[ ! -e $target/.complete ]] || return 0
    rm -rf "$target"
    python3 -m venv "$target"
    local pip=("$target/bin/pip" --disable-pip-version-check --quiet)
    "${pip[@]}" install --require-hashes --requirement "$source_folder/requirements/build.txt"
    "${pip[@]}" install --no-build-isolation --require-hashes \
        --requirement "$source_folder/requirements/api.txt" \
        --requirement "$source_folder/requirements/ingest.txt" \
        --requirement "$source_folder/requirements/search.txt"
    local built
    built=$(mktemp --directory)
    cp --recursive "$source_folder"/{services,migrations,pyproject.toml,README.md,LICENSE} "$built"
    "${pip[@]}" install --no-build-isolation --no-deps --no-index "$built"
    rm -rf "$built"
    install -D --mode=0644 "$source_folder/docs/operations.md" "$target/share/operations.md"
    touch "$target/.complete"
}

write_settings() {
    local public=http://127.0.0.1:8080
    [[ -z $site ]] || public=https://$site
    if [[ ! -e /etc/openupr/env ]]; then
        sed -e "s|^#UPR_PUBLIC_URL=.*|UPR_PUBLIC_URL=$public|" \
            -e "s|^#UPR_SEARCH_PUBLIC_URL=.*|UPR_SEARCH_PUBLIC_URL=$public|" \
            -e "s|^#UPR_INGEST_PUBLIC_URL=.*|UPR_INGEST_PUBLIC_URL=$public|" \
            "$source_folder/deploy/env.example" >/etc/openupr/env
        chown root:openupr /etc/openupr/env
        chmod 0640 /etc/openupr/env
    fi
    if [[ -n $site || ! -e /etc/openupr/proxy.env ]]; then
        put_for_proxy /etc/openupr/proxy.env <<<"UPR_SITE=${site:-http://127.0.0.1:8080}"
    fi
}

as_postgres() { runuser --user postgres -- "$@"; }

prepare_database() {
    (cd / && as_postgres psql --quiet --tuples-only --command \
        "SELECT 1 FROM pg_database WHERE datname = 'openupr'" | grep --quiet 1) ||
        (cd / && as_postgres createdb --encoding=UTF8 --template=template0 openupr)
    give_roles
    # The old version serves meanwhile: migrations are made for that.
    (cd / && runuser --user openupr_owner -- env UPR_DATA_DIR=/nonexistent \
        "UPR_DATABASE_URL=postgresql:///openupr?host=/var/run/postgresql" "$(release)/bin/upr" db migrate)
    give_roles
}

give_roles() {
    (cd / && as_postgres psql --no-psqlrc --quiet --dbname=openupr <"$source_folder/deploy/roles.sql")
}

install_units() {
    install --mode=0644 "$source_folder"/deploy/systemd/upr-* /etc/systemd/system/
    put_for_proxy /etc/systemd/system/caddy.service.d/openupr.conf <"$source_folder/deploy/systemd/caddy.conf"
    put_for_proxy /etc/caddy/Caddyfile <"$source_folder/deploy/Caddyfile"
    if [[ ! -d /run/systemd/system ]]; then
        echo "systemd does not run here: nothing is started. docs/operations.md tells how to do it by hand."
        return
    fi
    systemctl daemon-reload
    systemctl enable --quiet "${services[@]}" upr-backup.timer
    systemctl enable --quiet --now caddy
    local service
    for service in "${services[@]}"; do
        systemctl restart "$service"
        wait_for "$service"
    done
    systemctl start upr-backup.timer
    # Only where it has to: nobody would answer for a moment.
    if [[ $proxy_changed == yes ]]; then
        systemctl restart caddy
    fi
    echo "OpenUPR serves ${site:-http://127.0.0.1:8080}"
}

# put_for_proxy TARGET <CONTENT: and remember that the proxy has to begin anew, where it differs.
put_for_proxy() {
    local content
    content=$(mktemp)
    cat >"$content"
    cmp --quiet "$content" "$1" || proxy_changed=yes
    install -D --mode=0644 "$content" "$1"
    rm "$content"
}

# Until a service says that it is ready; what has no port has to live.
wait_for() {
    local port
    case $1 in
        upr-api) port=8000 ;;
        upr-search) port=8001 ;;
        upr-ingest) port=8002 ;;
        *) sleep 1 && systemctl is-active --quiet "$1" || stop "$1 does not run: journalctl --unit $1" && return ;;
    esac
    local try
    for ((try = 0; try < 300; try++)); do
        if python3 -c "import sys, urllib.request as r; r.urlopen('http://127.0.0.1:$port/readyz', timeout=5)" 2>/dev/null; then
            return
        fi
        sleep 0.2
    done
    stop "$1 is not ready: journalctl --unit $1"
}

main
