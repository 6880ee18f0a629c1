#!/usr/bin/env bash
# backup-user.sh
#
# Prints the statements that create the database user of `npm run backup` and `npm run restore:drill`, with no more rights than
# these need. Run it again to set another password. The table `backups` must exist (npm run migrate).
#   BACKUP_DB_PASS=... scripts/backup-user.sh | mysql --user=root --password
# The database container's entrypoint runs this once, after the schema. Without BACKUP_DB_PASS, the password is the shop's.
backup_user_statements() {
  local name=${BACKUP_DB_USER:-backup} database=${DB_NAME:-${MYSQL_DATABASE:-ecommerce}} password=${BACKUP_DB_PASS:-${MYSQL_PASSWORD:-}}
  if [ -n "${BACKUP_DB_PASS_FILE:-}" ]; then password=$(cat "$BACKUP_DB_PASS_FILE"); fi
  if [ -z "$password" ]; then
    echo "BACKUP_DB_PASS (or BACKUP_DB_PASS_FILE) is not set: not creating the user of the backups" >&2
    return
  fi
  password=${password//\\/\\\\}
  local user="'$name'@'%'" quoted="'${password//\'/\'\'}'" pattern=${database//_/\\_}
  cat <<SQL
CREATE USER IF NOT EXISTS $user IDENTIFIED BY $quoted;
ALTER USER $user IDENTIFIED BY $quoted;
-- backup: reads the tables, and records its success.
GRANT SELECT ON \`$pattern\`.* TO $user;
GRANT INSERT ON \`$database\`.backups TO $user;
-- backup on MySQL, if it writes a binary log: reads the position, and holds writers for a moment. The drill: finds and reads the log.
GRANT REPLICATION CLIENT, REPLICATION SLAVE /*!80023 , FLUSH_TABLES */ ON *.* TO $user;
-- The drill restores into a database of its own.
GRANT ALL ON \`${pattern}\\_drill\`.* TO $user;
SQL
}

if [ -n "${MYSQL_ROOT_PASSWORD:-}" ]; then
  backup_user_statements | MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --protocol=socket --user=root
else
  backup_user_statements
fi
