#!/usr/bin/env bash
# mysql-start.sh [OPTION...]
#
# The entrypoint of the database containers: starts MySQL, with options for mysqld. At each start, MySQL gives MYSQL_USER the
# rights with which `npm run migrate` sets up the users of the services and of the backups. So a volume of an earlier release
# gets them too. Passwords may be in files (DB_PASS_FILE, DB_ROOT_PASS_FILE): the image rejects MYSQL_PASSWORD_FILE if
# MYSQL_PASSWORD is set too.
set -euo pipefail

if [ -n "${DB_PASS_FILE:-}" ]; then MYSQL_PASSWORD=$(cat "$DB_PASS_FILE") && export MYSQL_PASSWORD; fi
if [ -n "${DB_ROOT_PASS_FILE:-}" ]; then MYSQL_ROOT_PASSWORD=$(cat "$DB_ROOT_PASS_FILE") && export MYSQL_ROOT_PASSWORD; fi

# One statement per line. The user does not exist yet while the image initializes an empty volume. NAME_... are databases into
# which backups are restored. The rights on *.* are for the user of the backups.
pattern=${MYSQL_DATABASE//_/\\\\_}
grant() {
  echo "SET @grant = CONCAT('GRANT $1 TO ', QUOTE(@name), '@''%'' WITH GRANT OPTION');"
  echo "SET @statement = IF(@exists, @grant, 'DO 0');"
  echo "PREPARE statement FROM @statement;"
  echo "EXECUTE statement;"
}
{
  echo "SET sql_log_bin = 0;"
  echo "SET @name = '${MYSQL_USER//\'/\'\'}';"
  echo "SET @exists = (SELECT COUNT(*) FROM mysql.user WHERE user = @name AND host = '%');"
  grant "ALL ON \`$pattern\`.*"
  grant "ALL ON \`$pattern\\\\_%\`.*"
  grant "CREATE USER, REPLICATION CLIENT, REPLICATION SLAVE, FLUSH_TABLES ON *.*"
} >/tmp/rights.sql

exec docker-entrypoint.sh mysqld --init-file=/tmp/rights.sql "$@"
