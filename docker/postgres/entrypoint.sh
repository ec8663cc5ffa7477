#!/bin/sh
# Makes the cluster at the first start, keeps the roles' passwords as the settings say, then becomes PostgreSQL.
# It listens on a unix socket in a shared volume only: no port, so nothing on the host can be in its way.
set -eu

: "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD is not set: run make up, which writes it to .env}"
: "${KAMAILIO_DB_PASSWORD:?KAMAILIO_DB_PASSWORD is not set: run make up, which writes it to .env}"

rm -f /run/postgresql/.ready
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	initdb --username=postgres --auth-local=scram-sha-256 --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --pwfile=/dev/stdin > /dev/null <<-PW
	$POSTGRES_PASSWORD
	PW
fi

# Roles and database, by a server that only this script can reach; it asks for no password, so that a new one in the settings is taken.
echo "local all postgres trust" > /tmp/hba
pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -c unix_socket_directories=/tmp -c hba_file=/tmp/hba" start > /dev/null
psql -q -h /tmp -U postgres -v ON_ERROR_STOP=1 -v owner_pw="$POSTGRES_PASSWORD" -v kamailio_pw="$KAMAILIO_DB_PASSWORD" <<'SQL'
SELECT 'CREATE ROLE hookswitch LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hookswitch') \gexec
SELECT 'CREATE ROLE kamailio LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') \gexec
ALTER ROLE postgres PASSWORD :'owner_pw';
ALTER ROLE hookswitch PASSWORD :'owner_pw';
ALTER ROLE kamailio PASSWORD :'kamailio_pw';
-- What it may write is granted (sql/0007): bindings, which a phone renews. They need not wait for the disk.
ALTER ROLE kamailio RESET ALL;
ALTER ROLE kamailio SET synchronous_commit = off;
ALTER ROLE kamailio SET search_path = kamailio;
SELECT 'CREATE DATABASE hookswitch OWNER hookswitch' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'hookswitch') \gexec
REVOKE ALL ON DATABASE hookswitch FROM PUBLIC;
GRANT CONNECT ON DATABASE hookswitch TO kamailio;
SQL
pg_ctl -D "$PGDATA" -w -m fast stop > /dev/null

exec postgres -c listen_addresses='' -c unix_socket_directories=/run/postgresql -c shared_buffers="${POSTGRES_SHARED_BUFFERS:-128MB}" \
	-c max_connections="${POSTGRES_MAX_CONNECTIONS:-100}" -c log_min_messages=warning "$@"
