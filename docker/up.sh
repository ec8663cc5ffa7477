#!/usr/bin/env bash
# Builds and starts the stack that .env describes, waits until it is healthy and says how to use it. Safe to run again.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

file=$ENV_FILE
"$root/docker/engine.sh"
"$root/docker/env.sh" "$file"
"$root/docker/ports.sh"
"$root/docker/base-image.sh"
HOOKSWITCH_TAG=$(env_value "$file" HOOKSWITCH_TAG latest) "$root/docker/build.sh"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
compose up -d --no-build > "$log" 2>&1 || {
	cat "$log" >&2
	die "the stack could not be started: the reason is above"
}
"$root/docker/wait-healthy.sh"

account=$(env_value "$file" HOOKSWITCH_ACCOUNT_SID)
token=$(env_value "$file" HOOKSWITCH_AUTH_TOKEN)
api=$(api_url)
ip=$(env_value "$file" PUBLIC_IP)
curl="curl -u $account:$token"
case $api in https:*) curl="docker cp $(compose ps -q control | cut -c 1-12):/etc/hookswitch/tls/ca.pem . && curl --cacert ca.pem -u $account:$token" ;; esac
cat <<END

Hookswitch is up.

  account     $account
  auth token  $token
  REST        $api/2010-04-01/Accounts/$account/
  SIP         $ip:$(env_value "$file" SIP_PORT) (UDP and TCP), domains are NAME.$(env_value "$file" HOOKSWITCH_SIP_DOMAIN)
  SIP, TLS    $ip:$(env_value "$file" SIPS_PORT 5061); docs/tls.md says which CA phones must trust, and how to put certificates of your own
  RTP         $ip:$(env_value "$file" RTP_PORT_MIN)-$(env_value "$file" RTP_PORT_MAX) (UDP)
  settings    $file (make up again after a change)

First request, a SIP domain whose calls your web application answers:

  $curl $api/2010-04-01/Accounts/$account/SIP/Domains.json \\
    -d DomainName=hello.$(env_value "$file" HOOKSWITCH_SIP_DOMAIN) -d VoiceUrl=http://127.0.0.1:3000/voice

make demo places a whole call; make logs shows what happens; make down stops it.
END
