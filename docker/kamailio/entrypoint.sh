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
exec kamailio -DD -E -f "${KAMAILIO_CFG:-/etc/hookswitch/kamailio/kamailio.cfg}" -m "${SIP_SHM_MB:-256}" -M "${SIP_PKG_MB:-16}" -x fm -X fm "$@"
