#!/bin/sh
# Runs the scripts of /docker-entrypoint.d before nginx, then the command, as in the official image.
set -e
if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    for script in /docker-entrypoint.d/*.sh; do
        [ -x "$script" ] && "$script"
    done
fi
exec "$@"
