#!/usr/bin/env bash
# Makes sure that a Docker engine answers and that the base image is there: what is on the machine is used, what is missing is
# installed from Debian's packages.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

BASE=debian:trixie-slim

need_root() {
	[ "$(id -u)" = 0 ] || die "$1; run this as root, or $2"
}

install_packages() {
	command -v apt-get > /dev/null || die "no Docker engine, and this is no Debian system; install Docker Engine and docker-compose, then run this again"
	say "installing $*"
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } > /tmp/hookswitch-apt.log 2>&1 ||
		die "installing $* failed; the end of /tmp/hookswitch-apt.log says why: $(tail -n 1 /tmp/hookswitch-apt.log)"
}

have_compose() {
	command -v docker-compose > /dev/null || docker compose version > /dev/null 2>&1
}

start_engine() {
	need_root "the Docker engine does not run" "start it (systemctl start docker)"
	if [ -d /run/systemd/system ]; then
		systemctl start docker || die "systemd could not start the Docker engine; see: journalctl -u docker"
	else
		say "starting dockerd (log: /var/log/hookswitch-dockerd.log)"
		setsid dockerd > /var/log/hookswitch-dockerd.log 2>&1 < /dev/null &
	fi
	for _ in $(seq 60); do
		docker info > /dev/null 2>&1 && return
		sleep 1
	done
	die "the Docker engine did not start in 60 s; /var/log/hookswitch-dockerd.log ends with: $(tail -n 1 /var/log/hookswitch-dockerd.log 2> /dev/null)"
}

if ! command -v docker > /dev/null || { ! docker info > /dev/null 2>&1 && ! command -v dockerd > /dev/null; }; then
	need_root "there is no Docker engine" "install Docker Engine yourself"
	install_packages docker.io docker-compose iptables
fi
if ! have_compose; then
	need_root "docker-compose is missing" "install it yourself"
	install_packages docker-compose
fi
docker info > /dev/null 2>&1 || start_engine

if ! docker image inspect "$BASE" > /dev/null 2>&1 && ! timeout 120 docker pull -q "$BASE" > /dev/null 2>&1; then
	need_root "$BASE cannot be pulled and must be made" "pull it yourself"
	command -v debootstrap > /dev/null || install_packages debootstrap
	say "making $BASE with debootstrap"
	dir=$(mktemp -d /var/tmp/hookswitch-base.XXXXXX)
	trap 'rm -rf "$dir"' EXIT
	debootstrap --variant=minbase trixie "$dir" > /tmp/hookswitch-debootstrap.log 2>&1 ||
		die "debootstrap failed: $(tail -n 1 /tmp/hookswitch-debootstrap.log)"
	rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/*
	tar -C "$dir" -c . | docker import - "$BASE" > /dev/null
fi
