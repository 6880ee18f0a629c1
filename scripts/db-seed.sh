#!/usr/bin/env bash
# db-seed.sh
#
# The database container's entrypoint runs this once, after the schema. It loads the development data, which contains an
# administrator with a public password, and so only with APP_ENV=local.
if [ "${APP_ENV:-}" = local ]; then
  MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --protocol=socket --user=root "$MYSQL_DATABASE" </sql/seed.sql
fi
