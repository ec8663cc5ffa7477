#!/usr/bin/env bash
# Makes sure that a Docker Engine and compose answer: installs Debian's packages when there are none and we may, starts the engine
# when nothing else does.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

log=${HOOKSWITCH_ENGINE_LOG:-/var/log/hookswitch-dockerd.log}

install_packages()
{
	[ "$(id -u)" = 0 ] || die "$1 is not installed: install docker.io and docker-compose, or run this as root, which does it on Debian"
	command -v apt-get > /dev/null || die "$1 is not installed and this is not Debian: install Docker Engine and its compose plugin"
	say "installing Docker Engine from Debian's packages"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq > /dev/null 2>&1 || true
	local packages=(docker.io docker-compose iptables ca-certificates)
	# From Debian 13 on the client is a package of its own.
	[ -z "$(apt-cache search --names-only '^docker-cli$' 2> /dev/null)" ] || packages+=(docker-cli)
	# No daemon is started by the packages: we do it below, and see why when it does not.
	apt-get install -y -qq --no-install-recommends "${packages[@]}" > /tmp/hookswitch-apt.log 2>&1 ||
		die "apt-get could not install ${packages[*]}: $(grep '^E:' /tmp/hookswitch-apt.log | head -n 1) (whole log: /tmp/hookswitch-apt.log)"
	hash -r
}

answers()
{
	docker info > /dev/null 2>&1
}

await_engine()
{
	local i
	for ((i = 0; i < 100; i++)); do
		answers && return 0
		[ -z "${1:-}" ] || kill -0 "$1" 2> /dev/null || return 1
		sleep 0.3
	done
	return 1
}

spawn_engine()
{
	setsid dockerd "$@" >> "$log" 2>&1 < /dev/null &
	await_engine $!
}

start_engine()
{
	[ "$(id -u)" = 0 ] || die "the Docker engine does not answer ($(docker info 2>&1 | grep -i -m1 -E 'denied|cannot connect' || echo 'no reason given')): start it, or join the docker group, or run this as root"
	if [ -d /run/systemd/system ]; then
		say "starting the Docker engine by systemd"
		systemctl start docker && await_engine && return 0
		die "the Docker engine does not start: see journalctl -u docker"
	fi
	say "starting the Docker engine (log: $log)"
	: > "$log"
	spawn_engine && return 0
	# Without netfilter in the kernel there is no bridge; our containers use the host's network anyway.
	if grep -qiE 'iptables|bridge' "$log"; then
		spawn_engine --iptables=false --ip6tables=false --bridge=none && return 0
	fi
	die "the Docker engine does not start: $(grep -iE 'failed|error|denied' "$log" | tail -n 1) (whole log: $log)"
}

if command -v docker > /dev/null; then
	answers || [ -z "${DOCKER_HOST:-}" ] || die "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST"
fi
if ! command -v docker > /dev/null; then
	install_packages docker
fi
if ! answers; then
	command -v dockerd > /dev/null || [ -S /var/run/docker.sock ] || install_packages "Docker Engine"
	answers || start_engine
fi
compose_command > /dev/null || install_packages docker-compose
compose_command > /dev/null || die "neither the compose plugin nor docker-compose is there: install docker-compose"
