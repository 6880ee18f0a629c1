#!/bin/sh
# The DNS server of the VPC is the one in resolv.conf. Nginx does not read that file.
set -eu
NGINX_RESOLVER=$(awk '$1 == "nameserver" { print ($2 ~ /:/ ? "[" $2 "]" : $2); exit }' /etc/resolv.conf)
export NGINX_RESOLVER
exec sh /etc/nginx/templates/limits.sh /docker-entrypoint.sh nginx -c /tmp/nginx.conf -g 'daemon off;'
