# shellcheck shell=bash
# What the scripts beside this file share. Sourced, never run.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The settings file of the stack that is meant.
export ENV_FILE=${ENV_FILE:-$root/.env}
export DOCKER_SCAN_SUGGEST=false COMPOSE_IGNORE_ORPHANS=true
export services="postgres rtpengine kamailio control"
# What containers get as files: FILE:KEY.
export secrets="auth_token:HOOKSWITCH_AUTH_TOKEN database_password:POSTGRES_PASSWORD kamailio_password:KAMAILIO_DB_PASSWORD"

# Every error that a user can cause ends here: one sentence, what is wrong and what to do.
die()
{
	echo "hookswitch: $*" >&2
	exit 1
}

say()
{
	echo "hookswitch: $*" >&2
}

# The compose plugin, or docker-compose.
compose_command()
{
	if docker compose version > /dev/null 2>&1; then
		echo "docker compose"
	elif command -v docker-compose > /dev/null 2>&1; then
		echo docker-compose
	else
		return 1
	fi
}

# compose ARGUMENT...: what the settings file says counts, not what the caller's environment happens to hold.
compose()
{
	local key unset=()
	[ -f "$ENV_FILE" ] || die "there is no $ENV_FILE: make up makes it"
	while IFS= read -r key; do
		unset+=(-u "$key")
	done < <(sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$ENV_FILE")
	# shellcheck disable=SC2046 # the command is one or two words
	env "${unset[@]}" SECRETS_DIR="$(secrets_dir "$ENV_FILE")" $(compose_command) --project-directory "$root" -f "$root/docker-compose.yml" --env-file "$ENV_FILE" "$@"
}

# env_value FILE KEY [DEFAULT]: the last value that the file gives it.
env_value()
{
	local value
	value=$(sed -n "s/^$2=//p" "$1" | tail -n 1)
	echo "${value:-${3:-}}"
}

# secrets_dir FILE: where docker/secrets.sh puts what FILE says.
secrets_dir()
{
	echo "$(cd "$(dirname "$1")" && pwd)/.secrets"
}

# api_url: where this machine reaches REST.
api_url()
{
	local scheme=http host
	[ -z "$(env_value "$ENV_FILE" API_TLS_CERT)" ] || scheme=https
	host=$(env_value "$ENV_FILE" API_BIND 127.0.0.1)
	[ "$host" != 0.0.0.0 ] || host=127.0.0.1
	echo "$scheme://$host:$(env_value "$ENV_FILE" API_PORT)"
}

# random_hex DIGITS
random_hex()
{
	od -An -v -N $(($1 / 2)) -tx1 /dev/urandom | tr -d ' \n'
}
