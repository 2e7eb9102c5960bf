#!/bin/bash
# Makes the cluster, user and database that the variables name, and runs what lies in /docker-entrypoint-initdb.d, once;
# then the server, as the user postgres: as in the official image.
set -eo pipefail

value_of() { # NAME, or what the file that NAME_FILE names says
    local file="${1}_FILE"
    if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!1:-$2}"; fi
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

export POSTGRES_USER POSTGRES_DB
POSTGRES_USER=$(value_of POSTGRES_USER postgres)
POSTGRES_DB=$(value_of POSTGRES_DB "$POSTGRES_USER")
password=$(value_of POSTGRES_PASSWORD "")
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "$password" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
        exit 1
    fi
    words=(--username="$POSTGRES_USER" --auth-local=trust)
    file=$(mktemp)
    printf '%s\n' "$password" >"$file"
    if [ -n "$password" ]; then words+=(--pwfile="$file"); fi
    initdb "${words[@]}" ${POSTGRES_INITDB_ARGS:-}
    rm "$file"
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    sql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER")
    if [ "$POSTGRES_DB" != postgres ]; then
        "${sql[@]}" --dbname postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
    fi
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
        *.sql) "${sql[@]}" --dbname "$POSTGRES_DB" -f "$file" ;;
        *.sql.gz) gunzip -c "$file" | "${sql[@]}" --dbname "$POSTGRES_DB" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    echo "PostgreSQL init process complete; ready for start up."
fi
exec "$@"
