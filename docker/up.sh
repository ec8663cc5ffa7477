#!/usr/bin/env bash
# make up: engine, .env, images, services; waits until all are healthy and prints how to use them. Safe to run again.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

"$root/docker/engine.sh"
"$root/docker/env.sh"
cd "$root"

# A port that something else holds: said before a service fails on it. Our own running stack may hold them.
check_port() {
	local name=$1 proto=$2 port=$3 holder
	[ -z "$(compose ps -q 2> /dev/null)" ] || return 0
	[ "$(env_value .env NETWORK_MODE)" = host ] || return 0
	command -v ss > /dev/null || return 0
	holder=$(ss -Hln"$proto"p "sport = :$port" 2> /dev/null | head -n 1)
	[ -z "$holder" ] ||
		die "$name: port $port is in use ($(echo "$holder" | grep -o 'users:.*' || echo 'by another program')); stop that program, or set another $name in .env"
}
check_port SIP_PORT u "$(env_value .env SIP_PORT)"
check_port SIP_PORT t "$(env_value .env SIP_PORT)"
check_port API_PORT t "$(env_value .env API_PORT)"

say "building the images"
compose build > /tmp/hookswitch-build.log 2>&1 || die "building failed; see /tmp/hookswitch-build.log, which ends with: $(tail -n 1 /tmp/hookswitch-build.log)"
say "starting"
compose up -d > /tmp/hookswitch-up.log 2>&1 || die "the services did not start; see /tmp/hookswitch-up.log, which ends with: $(tail -n 1 /tmp/hookswitch-up.log)"
"$root/docker/wait-healthy.sh"

sid=$(env_value .env HOOKSWITCH_ACCOUNT_SID)
token=$(env_value .env HOOKSWITCH_AUTH_TOKEN)
api=http://$(env_value .env API_BIND):$(env_value .env API_PORT)
cat <<TEXT

Hookswitch is up.
  SIP      $(env_value .env PUBLIC_IP) port $(env_value .env SIP_PORT), UDP and TCP; domains are {name}.$(env_value .env HOOKSWITCH_SIP_DOMAIN)
  RTP      UDP $(env_value .env RTP_PORT_MIN)-$(env_value .env RTP_PORT_MAX)
  REST     $api/2010-04-01
  account  $sid
  token    $token

A first request:
  curl -u $sid:$token $api/2010-04-01/Accounts/$sid/SIP/Domains.json
A whole call:  make demo        Logs:  make logs        Stop:  make down
TEXT
