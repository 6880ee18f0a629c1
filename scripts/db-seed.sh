#!/usr/bin/env bash
# db-seed.sh
#
# Run by the database container's entrypoint, once, after the schema: the development data, with its published
# administrator's password, only where APP_ENV says that this is somebody's own machine.
if [ "${APP_ENV:-}" = local ]; then
  MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --protocol=socket --user=root "$MYSQL_DATABASE" </sql/seed.sql
fi
