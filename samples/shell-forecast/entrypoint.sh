#!/bin/bash
# Makes the pages from the readings and the server's configuration from the environment, then becomes the command.
set -euo pipefail
cd "$(dirname "$0")"

: "${STATION:?set STATION to a station of readings.json}"
export STATION PORT

mkdir -p /var/www/forecast /run/nginx
cp -r www/. /var/www/forecast/

jq -r --arg station "$STATION" '.[] | select(.station == $station) | [.day, .knots] | @tsv' readings.json |
    while IFS=$'\t' read -r day knots; do
        printf '<tr><td>%s</td><td>%s kn</td><td>Beaufort %s</td></tr>\n' "$day" "$knots" "$(beaufort "$knots")"
    done >/tmp/rows.html

ROWS=$(cat /tmp/rows.html) envsubst '$STATION $ROWS' <templates/index.html.template >/var/www/forecast/index.html
envsubst '$PORT' <templates/nginx.conf.template >/etc/nginx/nginx.conf

if [ -n "${EXPORT_DATABASE:-}" ]; then
    jq -r '.[] | [.station, .day, .knots] | @csv' readings.json >/tmp/readings.csv
    sqlite3 "$EXPORT_DATABASE" 'CREATE TABLE readings (station, day, knots)' '.import --csv /tmp/readings.csv readings'
fi

exec "$@"
