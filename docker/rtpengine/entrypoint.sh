#!/bin/bash
# Becomes RTPengine with the addresses and ports that the settings say.
set -eu

PUBLIC_IP="${PUBLIC_IP:-127.0.0.1}"
bind="${RTP_BIND:-$PUBLIC_IP}"
external="external/$bind"
[ "$bind" = "$PUBLIC_IP" ] || external="$external!$PUBLIC_IP"
# A call takes eight sockets.
ulimit -n "$(ulimit -Hn)"
# A third of the time of a set-up is the allocator's (docs/performance.md).
export LD_PRELOAD=libjemalloc.so.2
exec rtpengine --config-file=/etc/hookswitch/rtpengine.conf --interface="$external" --interface="internal/127.0.0.1" \
	--port-min="${RTP_PORT_MIN:-30000}" --port-max="${RTP_PORT_MAX:-39999}" --listen-ng="${RTPENGINE_NG:-127.0.0.1:2223}" \
	--listen-cli="${RTPENGINE_CLI:-127.0.0.1:2224}" --dtmf-log-dest="${DTMF_LISTEN:-127.0.0.1:2300}" "$@"
