#!/usr/bin/env bash
# With host networking, checks that our addresses are this machine's and that no other program has our ports.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

file=$ENV_FILE
[ "$(env_value "$file" NETWORK_MODE host)" = host ] || exit 0

public_ip=$(env_value "$file" PUBLIC_IP)
sip_bind=$(env_value "$file" SIP_BIND "$public_ip 127.0.0.1")
rtp_bind=$(env_value "$file" RTP_BIND "$public_ip")
api_bind=$(env_value "$file" API_BIND 127.0.0.1)

is_local()
{
	case $1 in 127.* | 0.0.0.0) return 0 ;; esac
	awk -v ip="$1" '$2 == ip { seen = 1; next } seen && /host LOCAL/ { found = 1 } { seen = 0 } END { exit !found }' /proc/net/fib_trie
}

for ip in $sip_bind; do
	is_local "$ip" || die "$ip is no address of this machine: set PUBLIC_IP in $file, and behind NAT also SIP_BIND and RTP_BIND to the machine's own address"
done
is_local "$rtp_bind" || die "$rtp_bind is no address of this machine: set RTP_BIND in $file to one that is"
is_local "$api_bind" || die "$api_bind is no address of this machine: set API_BIND in $file to one that is"

# The engine's ids of our own containers: their sockets are no conflict.
own=$(compose ps -q 2> /dev/null | tr '\n' '|' | sed 's/|$//') || own=""

# owner INODE: "name (pid N)" of the process that has the socket; nothing when it is our own stack.
owner()
{
	local fd pid
	fd=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$1\]" 2> /dev/null | head -n 1)
	if [ -z "$fd" ]; then
		# Another user's: with our stack up it is most likely ours, and a true conflict shows in the service's log.
		[ -n "$own" ] || echo "another program"
		return
	fi
	pid=${fd#/proc/}
	pid=${pid%%/*}
	if [ -n "$own" ] && grep -qE "$own" "/proc/$pid/cgroup" 2> /dev/null; then
		return
	fi
	echo "$(cat "/proc/$pid/comm") (pid $pid)"
}

# check PROTO IP PORT WHAT-TO-DO
check()
{
	local state=0A ip hex inode who a b c d
	[ "$1" = tcp ] || state=07
	IFS=. read -r a b c d <<< "$2"
	hex=$(printf '%02X%02X%02X%02X:%04X' "$d" "$c" "$b" "$a" "$3")
	ip=${hex%:*}
	inode=$(awk -v port="${hex#*:}" -v ip="$ip" -v state="$state" '
		$4 == state { n = split($2, at, ":"); if (at[2] == port && (ip == "00000000" || at[1] == ip || at[1] ~ /^0+$/)) { print $10; exit } }
	' "/proc/net/$1" "/proc/net/${1}6" 2> /dev/null)
	[ -n "$inode" ] || return 0
	who=$(owner "$inode")
	[ -z "$who" ] || die "port $3/$1 at $2 is in use by $who: stop it, or $4"
}

for ip in $sip_bind 127.0.0.1; do
	for proto in udp tcp; do
		check $proto "$ip" "$(env_value "$file" SIP_PORT)" "set SIP_PORT in $file to another port"
	done
	check tcp "$ip" "$(env_value "$file" SIPS_PORT 5061)" "set SIPS_PORT in $file to another port"
done
check tcp "$api_bind" "$(env_value "$file" API_PORT)" "set API_PORT in $file to another port"
for internal in "tcp KAMAILIO_EVAPI 127.0.0.1:8448" "udp RTPENGINE_NG 127.0.0.1:2223" "tcp RTPENGINE_CLI 127.0.0.1:2224" "udp DTMF_LISTEN 127.0.0.1:2300"; do
	read -r proto key default <<< "$internal"
	at=$(env_value "$file" "$key" "$default")
	check "$proto" "${at%:*}" "${at##*:}" "set $key in $file to another address and port"
done
