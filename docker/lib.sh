# shellcheck shell=bash
# What the scripts of this folder share: saying what is wrong in one sentence, the compose command, .env.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
	echo "hookswitch: $*" >&2
	exit 1
}

say() {
	echo "== $*"
}

# docker-compose 1.29 or the plugin, whichever is there.
compose() {
	if docker compose version > /dev/null 2>&1; then
		docker compose --project-directory "$root" -f "$root/docker-compose.yml" "$@"
	else
		docker-compose --project-directory "$root" -f "$root/docker-compose.yml" "$@"
	fi
}

# The value of a key in an env file; empty when it is not there.
env_value() {
	sed -n "s/^$2=//p" "$1" | tail -n 1
}

random_hex() {
	od -An -N"$(($1 / 2))" -tx1 /dev/urandom | tr -d ' \n'
}
