#!/usr/bin/env bash
# Makes .env from .env.example at the first start, with generated secrets, and checks every value. Usage: env.sh [FILE]
set -euo pipefail
. "$(dirname "$0")/lib.sh"

file=${1:-$root/.env}

set_value() {
	sed -i "s|^$1=.*|$1=$2|" "$file"
}

# A value that stays once it is there.
generate() {
	[ -n "$(env_value "$file" "$1")" ] || set_value "$1" "$2"
}

default_ip() {
	local ip
	ip=$(ip -4 route get 192.0.2.1 2> /dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | head -n 1)
	echo "${ip:-127.0.0.1}"
}

if [ ! -f "$file" ]; then
	(umask 077 && cp "$root/.env.example" "$file")
	say "made $file with new secrets"
fi
generate HOOKSWITCH_ACCOUNT_SID "AC$(random_hex 32)"
generate HOOKSWITCH_AUTH_TOKEN "$(random_hex 32)"
generate PUBLIC_IP "$(default_ip)"
generate POSTGRES_PASSWORD "$(random_hex 32)"
generate KAMAILIO_DB_PASSWORD "$(random_hex 32)"

check() {
	local value
	value=$(env_value "$file" "$1")
	[[ "$value" =~ $2 ]] || die "$1 is \"$value\" in $file: set it to $3"
}
port='^([1-9][0-9]{0,4})$'
check HOOKSWITCH_ACCOUNT_SID '^AC[0-9a-f]{32}$' "AC and 32 hex digits"
check HOOKSWITCH_AUTH_TOKEN '^[A-Za-z0-9]{16,64}$' "16 to 64 letters and digits"
check HOOKSWITCH_SIP_DOMAIN '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' "a domain name in lower case"
check PUBLIC_IP '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$' "an IPv4 address"
check API_BIND '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$' "an IPv4 address"
check POSTGRES_PASSWORD '^[A-Za-z0-9]{12,}$' "at least 12 letters and digits"
check KAMAILIO_DB_PASSWORD '^[A-Za-z0-9]{12,}$' "at least 12 letters and digits"
check NETWORK_MODE '^(host|container:[A-Za-z0-9_.-]+)$' "host or container:NAME"
for key in SIP_PORT SIPS_PORT API_PORT RTP_PORT_MIN RTP_PORT_MAX; do
	check "$key" "$port" "a port from 1 to 65535"
	[ "$(env_value "$file" "$key")" -le 65535 ] || die "$key is over 65535 in $file: set it to a port from 1 to 65535"
done
[ "$(env_value "$file" RTP_PORT_MIN)" -lt "$(env_value "$file" RTP_PORT_MAX)" ] ||
	die "RTP_PORT_MIN is not below RTP_PORT_MAX in $file: leave at least a few hundred ports between them"
