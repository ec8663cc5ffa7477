#!/bin/sh
# Gives kamailio.cfg its settings and listeners, then becomes Kamailio.
set -eu

# The database's password comes from a file that libpq reads, so that no URL, environment or dump of modules' parameters shows it.
export KAMAILIO_DB_URL="${KAMAILIO_DB_URL:-postgres://kamailio@/hookswitch}"
export PGHOST="${PGHOST:-/run/postgresql}"
if [ -r /run/secrets/kamailio_password ]; then
	export PGPASSFILE=/run/kamailio/pgpass
	(umask 077 && echo "*:*:*:*:$(cat /run/secrets/kamailio_password)" > "$PGPASSFILE")
fi
export HOOKSWITCH_SIP_DOMAIN="${HOOKSWITCH_SIP_DOMAIN:-sip.hookswitch.test}"
export KAMAILIO_EVAPI="${KAMAILIO_EVAPI:-127.0.0.1:8448}"
export KAMAILIO_RPC="${KAMAILIO_RPC:-/run/hookswitch/rpc.sock}"
export SIP_WORKERS="${SIP_WORKERS:-4}"
export SIP_TLS_CONNECTIONS="${SIP_TLS_CONNECTIONS:-2048}"
export SIP_NONCE_SECONDS="${SIP_NONCE_SECONDS:-60}"
export SIP_DECISION_SECONDS="${SIP_DECISION_SECONDS:-5}"
export SIP_REFUSED_MAX="${SIP_REFUSED_MAX:-200}"
export SIP_MESSAGES_MAX="${SIP_MESSAGES_MAX:-2000}"
export SIP_BAN_SECONDS="${SIP_BAN_SECONDS:-60}"
export SIP_BAN_MAX_SECONDS="${SIP_BAN_MAX_SECONDS:-3600}"
export SIP_CONNECTIONS_PER_SOURCE="${SIP_CONNECTIONS_PER_SOURCE:-512}"
export SIP_PASSWORD_TRIES="${SIP_PASSWORD_TRIES:-5}"
export SIP_PASSWORD_TRIES_OF_SOURCE="${SIP_PASSWORD_TRIES_OF_SOURCE:-50}"
export SIP_PASSWORD_TRIES_OF_USER="${SIP_PASSWORD_TRIES_OF_USER:-50}"
export SIP_LOCK_SECONDS="${SIP_LOCK_SECONDS:-10}"
export SIP_LOCK_MAX_SECONDS="${SIP_LOCK_MAX_SECONDS:-300}"
export SIP_UNIFORM_REFUSALS="${SIP_UNIFORM_REFUSALS:-0}"
# Of this start alone: what a challenge bears to be recognised by.
SIP_SECRET=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
export SIP_SECRET
export SIP_RINGING_MS="${SIP_RINGING_MS:-660000}"
export SIP_REGISTER_MIN_SECONDS="${SIP_REGISTER_MIN_SECONDS:-600}"
export SIP_REGISTER_DEFAULT_SECONDS="${SIP_REGISTER_DEFAULT_SECONDS:-3600}"
export SIP_REGISTER_MAX_SECONDS="${SIP_REGISTER_MAX_SECONDS:-3600}"
export SIP_REGISTER_CONNECTION_SECONDS=$((SIP_REGISTER_MAX_SECONDS + 5))
export SIP_REGISTER_SHA256="${SIP_REGISTER_SHA256:-0}"
export SIP_BINDINGS_MAX="${SIP_BINDINGS_MAX:-10}"
export SIP_BINDINGS_OF_DOMAIN="${SIP_BINDINGS_OF_DOMAIN:-1000000}"
export SIP_REGISTERS_PER_SECOND="${SIP_REGISTERS_PER_SECOND:-5}"
export SIP_KEEPALIVE_SECONDS="${SIP_KEEPALIVE_SECONDS:-30}"
PUBLIC_IP="${PUBLIC_IP:-127.0.0.1}"
SIP_PORT="${SIP_PORT:-5060}"
SIPS_PORT="${SIPS_PORT:-5061}"

: > /run/kamailio/listen.cfg
seen=" "
for ip in ${SIP_BIND:-$PUBLIC_IP 127.0.0.1}; do
	case "$seen" in *" $ip "*) continue ;; esac
	seen="$seen$ip "
	for listener in "udp $SIP_PORT" "tcp $SIP_PORT" "tls $SIPS_PORT"; do
		port=${listener#* }
		advertise=""
		case "$ip" in "$PUBLIC_IP" | 127.*) ;; *) advertise=" advertise $PUBLIC_IP:$port" ;; esac
		echo "listen=${listener% *}:$ip:$port$advertise" >> /run/kamailio/listen.cfg
	done
done
rm -f "$KAMAILIO_RPC"
[ "${1:-}" != -c ] || export KAMAILIO_CHECK=1
tls-profiles.sh

# usrloc needs its table, which hookswitchd makes at its first start; a check of the configuration (-c) needs none.
tries=0
until [ "${1:-}" = -c ] || psql -qtA -d "$KAMAILIO_DB_URL" -c 'SELECT FROM location LIMIT 0' > /dev/null 2> /tmp/psql.log; do
	tries=$((tries + 1))
	if [ "$tries" -ge 300 ]; then
		echo "the table of registrations cannot be read: $(head -n 1 /tmp/psql.log)" >&2
		exit 1
	fi
	sleep 0.2
done
exec kamailio -DD -E -f "${KAMAILIO_CFG:-/etc/hookswitch/kamailio/kamailio.cfg}" -m "${SIP_SHM_MB:-256}" -M "${SIP_PKG_MB:-16}" -x fm -X fm "$@"
