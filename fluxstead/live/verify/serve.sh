#!/bin/sh
# Serves a file larger than any packet, so that a network that loses large ones is seen.
set -e
mkdir -p /tmp/www
head -c 262144 /dev/zero >/tmp/www/large
exec httpd -f -p 8080 -h /tmp/www
