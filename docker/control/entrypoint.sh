#!/bin/bash
# Becomes hookswitchd with as many descriptors as it may have: a call takes a socket, a webhook another.
ulimit -n "$(ulimit -Hn)"
# The database's password for libpq, which takes it of a file of ours alone (0600).
if [ -r /run/secrets/database_password ]; then
	(umask 077 && echo "*:*:*:*:$(cat /run/secrets/database_password)" > /tmp/pgpass)
	export PGPASSFILE=/tmp/pgpass
fi
# docs/performance.md
export LD_PRELOAD=libjemalloc.so.2
exec hookswitchd "$@"
