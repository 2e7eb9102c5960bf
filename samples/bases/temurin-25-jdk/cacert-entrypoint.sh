#!/usr/bin/env bash
# The official image adds certificates to Java's own store here, where USE_SYSTEM_CA_CERTS is set.
set -e
exec "$@"
