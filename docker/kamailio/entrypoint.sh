#!/bin/sh
# Gives kamailio.cfg its settings and listeners, then becomes Kamailio.
set -eu

export HOOKSWITCH_SIP_DOMAIN="${HOOKSWITCH_SIP_DOMAIN:-sip.hookswitch.test}"
export KAMAILIO_EVAPI="${KAMAILIO_EVAPI:-127.0.0.1:8448}"
export KAMAILIO_RPC="${KAMAILIO_RPC:-/run/hookswitch/rpc.sock}"
export SIP_WORKERS="${SIP_WORKERS:-4}"
export SIP_NONCE_SECONDS="${SIP_NONCE_SECONDS:-60}"
export SIP_DECISION_SECONDS="${SIP_DECISION_SECONDS:-5}"
export SIP_REFUSED_MAX="${SIP_REFUSED_MAX:-200}"
export SIP_RINGING_MS="${SIP_RINGING_MS:-660000}"
export SIP_REGISTER_MIN_SECONDS="${SIP_REGISTER_MIN_SECONDS:-600}"
export SIP_REGISTER_DEFAULT_SECONDS="${SIP_REGISTER_DEFAULT_SECONDS:-3600}"
export SIP_REGISTER_MAX_SECONDS="${SIP_REGISTER_MAX_SECONDS:-3600}"
export SIP_REGISTER_CONNECTION_SECONDS=$((SIP_REGISTER_MAX_SECONDS + 5))
export SIP_REGISTER_SHA256="${SIP_REGISTER_SHA256:-0}"
export SIP_BINDINGS_MAX="${SIP_BINDINGS_MAX:-10}"
export SIP_REGISTERS_PER_SECOND="${SIP_REGISTERS_PER_SECOND:-5}"
export SIP_KEEPALIVE_SECONDS="${SIP_KEEPALIVE_SECONDS:-30}"
PUBLIC_IP="${PUBLIC_IP:-127.0.0.1}"
SIP_PORT="${SIP_PORT:-5060}"

: > /run/kamailio/listen.cfg
seen=" "
for ip in ${SIP_BIND:-$PUBLIC_IP 127.0.0.1}; do
	case "$seen" in *" $ip "*) continue ;; esac
	seen="$seen$ip "
	advertise=""
	case "$ip" in "$PUBLIC_IP" | 127.*) ;; *) advertise=" advertise $PUBLIC_IP:$SIP_PORT" ;; esac
	for proto in udp tcp; do
		echo "listen=$proto:$ip:$SIP_PORT$advertise" >> /run/kamailio/listen.cfg
	done
done
rm -f "$KAMAILIO_RPC"

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
