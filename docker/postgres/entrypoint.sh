#!/bin/sh
# Makes the cluster at the first start, keeps the roles' passwords as the settings say, then becomes PostgreSQL.
# It listens on a unix socket in a shared volume only: no port, so nothing on the host can be in its way.
set -eu

secret()
{
	cat "/run/secrets/$1" 2> /dev/null || {
		echo "/run/secrets/$1 cannot be read: start the stack by make up, which makes it of .env" >&2
		exit 1
	}
}

# In a variable of this script, which is nobody's environment or command line.
owner_password=$(secret database_password)
secret kamailio_password > /dev/null
rm -f /run/postgresql/.ready
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	initdb --username=postgres --auth-local=scram-sha-256 --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --pwfile=/dev/stdin > /dev/null <<-PW
	$owner_password
	PW
fi

# Roles and database, by a server that only this script can reach; it asks for no password, so that a new one in the settings is taken.
echo "local all postgres trust" > /tmp/hba
pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -c unix_socket_directories=/tmp -c hba_file=/tmp/hba" start > /dev/null
# For psql, pg_dump and the like in this container: as the owner, without a question.
(umask 077 && echo "*:*:*:*:$owner_password" > /tmp/pgpass)
psql -q -h /tmp -U postgres -d postgres -v ON_ERROR_STOP=1 <<'SQL'
\set owner_pw `cat /run/secrets/database_password`
\set kamailio_pw `cat /run/secrets/kamailio_password`
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
