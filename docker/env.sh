#!/usr/bin/env bash
# env.sh [FILE]: makes the settings file (default .env) from .env.example with new secrets when it is not there, and checks its values.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

file=${1:-$ENV_FILE}

# The machine's address in the network of the default route's gateway, by /proc alone: a minimal Debian has no ip command.
default_address()
{
	local iface destination gateway mask address a b c d net
	read -r iface gateway < <(awk '$2 == "00000000" && $8 == "00000000" { print $1, $3; exit }' /proc/net/route) || true
	while [ -n "${gateway:-}" ] && read -r destination mask; do
		net=$((16#$destination))
		[ $((16#$gateway & 16#$mask)) = "$net" ] || continue
		while IFS=. read -r a b c d; do
			address=$((d << 24 | c << 16 | b << 8 | a))
			if [ $((address & 16#$mask)) = "$net" ]; then
				echo "$a.$b.$c.$d"
				return
			fi
		done < <(awk '/host LOCAL/ { print last } { last = $2 }' /proc/net/fib_trie | sort -u)
	done < <(awk -v iface="${iface:-}" '$1 == iface && $8 != "00000000" { print $2, $8 }' /proc/net/route)
	echo 127.0.0.1
}

if [ ! -e "$file" ]; then
	(umask 077 && cp "$root/.env.example" "$file") || die "$file can't be written: run this as the owner of its folder"
	say "made $file with new secrets"
fi
[ -r "$file" ] || die "$file can't be read: run this as its owner"

# generate KEY VALUE: where the file has the key and nothing behind it.
generate()
{
	! grep -q "^$1=$" "$file" || sed -i "s/^$1=$/&$2/" "$file"
}

generate HOOKSWITCH_ACCOUNT_SID "AC$(random_hex 32)"
generate HOOKSWITCH_AUTH_TOKEN "$(random_hex 32)"
generate POSTGRES_PASSWORD "$(random_hex 32)"
generate KAMAILIO_DB_PASSWORD "$(random_hex 32)"
generate PUBLIC_IP "$(default_address)"

# Where webhooks may go beside public addresses was not always a setting: a new file, or one of before, gets it. A machine with a private
# address is a laboratory or behind NAT, its web application most likely beside the stack; on a public one nobody else's loopback is open.
if ! grep -q '^WEBHOOK_ALLOWED_NETWORKS=' "$file"; then
	case $(env_value "$file" PUBLIC_IP) in
	10.* | 127.* | 169.254.* | 192.0.2.* | 192.168.* | 198.1[89].* | 198.51.100.* | 203.0.113.* | 172.1[6-9].* | 172.2?.* | 172.3[01].* | 100.6[4-9].* | 100.[7-9]?.* | 100.1[01]?.* | 100.12[0-7].*) allowed=127.0.0.1 ;;
	*) allowed="" ;;
	esac
	[ -z "$(tail -c 1 "$file")" ] || echo >> "$file"
	echo "WEBHOOK_ALLOWED_NETWORKS=$allowed" >> "$file"
	say "webhooks go to public addresses${allowed:+ and to $allowed}: WEBHOOK_ALLOWED_NETWORKS in $file"
fi

value()
{
	env_value "$file" "$1"
}

bad()
{
	die "$1 is \"$(value "$1")\" in $file: set it to $2"
}

matches()
{
	[[ $(value "$1") =~ ^($2)$ ]] || bad "$1" "$3"
}

number()
{
	local v
	v=$(value "$1")
	if ! [[ $v =~ ^[1-9][0-9]{0,5}$ ]] || [ "$v" -lt "$2" ] || [ "$v" -gt "$3" ]; then
		bad "$1" "a whole number from $2 to $3"
	fi
}

is_ipv4()
{
	local octet
	[[ $1 =~ ^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$ ]] || return 1
	for octet in "${BASH_REMATCH[@]:1}"; do
		# A leading zero means octal to some programs.
		if [ "$octet" != "$((10#$octet))" ] || [ "$octet" -gt 255 ]; then
			return 1
		fi
	done
}

line=$(grep -nvE '^[[:space:]]*(#.*)?$|^[A-Z][A-Z0-9_]*=[^"'"'"'$]*$' "$file" | head -n 1) || true
[ -z "$line" ] || die "line ${line%%:*} of $file is not KEY=value without quotes and \$: mend it"
matches HOOKSWITCH_ACCOUNT_SID 'AC[0-9a-f]{32}' "AC and 32 hex digits in lower case"
matches HOOKSWITCH_AUTH_TOKEN '[A-Za-z0-9]{16,128}' "16 to 128 letters and digits"
matches HOOKSWITCH_SIP_DOMAIN '([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?' "a domain name in lower case, like sip.example.com"
matches POSTGRES_PASSWORD '[A-Za-z0-9]{8,128}' "8 to 128 letters and digits"
matches KAMAILIO_DB_PASSWORD '[A-Za-z0-9]{8,128}' "8 to 128 letters and digits"
if ! is_ipv4 "$(value PUBLIC_IP)" || [ "$(value PUBLIC_IP)" = 0.0.0.0 ]; then
	bad PUBLIC_IP "the IPv4 address that phones and PBXs reach"
fi
for key in API_BIND RTP_BIND; do
	[ -z "$(value $key)" ] || is_ipv4 "$(value $key)" || bad $key "an IPv4 address of this machine"
done
if [ -z "$(value API_TLS_CERT)" ] && [ "$(value API_PLAIN_HTTP)" != true ]; then
	case $(value API_BIND) in
	"" | 127.*) ;;
	*) bad API_BIND "127.0.0.1, or give REST a certificate (API_TLS_CERT, API_TLS_KEY), or allow it to go in clear (API_PLAIN_HTTP=true)" ;;
	esac
fi
for ip in $(value SIP_BIND); do
	is_ipv4 "$ip" || bad SIP_BIND "IPv4 addresses of this machine, separated by spaces"
done
lowest=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2> /dev/null || echo 1024)
[ "$lowest" -gt 0 ] || lowest=1
for key in SIP_PORT SIPS_PORT API_PORT RTP_PORT_MIN RTP_PORT_MAX; do
	number $key "$lowest" 65535
done
[ "$(value RTP_PORT_MAX)" -ge $(($(value RTP_PORT_MIN) + 99)) ] || bad RTP_PORT_MAX "at least RTP_PORT_MIN + 99 (a call takes four ports)"
for key in SIP_PORT SIPS_PORT API_PORT; do
	if [ "$(value $key)" -ge "$(value RTP_PORT_MIN)" ] && [ "$(value $key)" -le "$(value RTP_PORT_MAX)" ]; then
		bad $key "a port outside RTP_PORT_MIN..RTP_PORT_MAX"
	fi
done
[ "$(value SIP_PORT)" != "$(value SIPS_PORT)" ] || bad SIPS_PORT "another port than SIP_PORT"
for key in SIP_PORT SIPS_PORT; do
	[ "$(value $key)" != "$(value API_PORT)" ] || bad API_PORT "another port than $key"
done
# The stack's own loopback ports.
for key in KAMAILIO_EVAPI:8448 RTPENGINE_NG:2223 RTPENGINE_CLI:2224 DTMF_LISTEN:2300; do
	own=$(env_value "$file" "${key%:*}" "127.0.0.1:${key#*:}")
	for port in SIP_PORT SIPS_PORT API_PORT; do
		[ "$(value $port)" != "${own##*:}" ] || bad $port "another port than ${key%:*}'s (${own##*:})"
	done
	if [ "${own##*:}" -ge "$(value RTP_PORT_MIN)" ] && [ "${own##*:}" -le "$(value RTP_PORT_MAX)" ]; then
		bad RTP_PORT_MIN "a range without ${key%:*}'s port ${own##*:}"
	fi
done
for key in SIP_WORKERS SIP_NONCE_SECONDS SIP_DECISION_SECONDS SIP_REFUSED_MAX SIP_RINGING_MS SIP_REGISTER_MIN_SECONDS SIP_REGISTER_DEFAULT_SECONDS SIP_REGISTER_MAX_SECONDS SIP_BINDINGS_MAX \
	SIP_REGISTERS_PER_SECOND SIP_KEEPALIVE_SECONDS SIP_SHM_MB SIP_PKG_MB SIP_TLS_CONNECTIONS MAX_CALLS; do
	[ -z "$(value $key)" ] || number $key 1 999999
done
[[ $(value SIP_TLS_VERIFY) =~ ^(|off|warn|on)$ ]] || bad SIP_TLS_VERIFY "off, warn or on"
[[ $(value SIP_TLS_SHA1) =~ ^[01]?$ ]] || bad SIP_TLS_SHA1 "1, or 0 to refuse AES128-SHA and AES256-SHA"
[[ $(value SIP_TLS_CLIENT_CERTIFICATES) =~ ^[01]?$ ]] || bad SIP_TLS_CLIENT_CERTIFICATES "0, or 1 to ask TLS clients for their certificates"
[[ $(value TLS_DIR) =~ ^(|/.*)$ ]] || bad TLS_DIR "an absolute path, or nothing for a volume of the stack's own"
[[ $(value NETWORK_MODE) =~ ^(|host|container:[A-Za-z0-9_.-]+)$ ]] || bad NETWORK_MODE "host or container:NAME"
"$root/docker/secrets.sh" "$file"
