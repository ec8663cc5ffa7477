#!/usr/bin/env bash
# Makes sure that debian:trixie-slim is there: from a registry, or with debootstrap where none can be reached.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

image=debian:trixie-slim
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

docker image inspect "$image" > /dev/null 2>&1 && exit 0
say "fetching the base image $image"
timeout "${HOOKSWITCH_PULL_SECONDS:-120}" docker pull -q "$image" > /dev/null 2>&1 && exit 0

say "no registry answers: making the base image with debootstrap"
[ "$(id -u)" = 0 ] || die "$image can't be pulled and making it needs root: run this as root once, or docker pull $image"
if ! command -v debootstrap > /dev/null; then
	command -v apt-get > /dev/null || die "$image can't be pulled and debootstrap is not installed: install it, or docker pull $image"
	apt-get update -qq > /dev/null 2>&1 || true
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap > /dev/null 2>&1 ||
		die "$image can't be pulled and apt-get could not install debootstrap: check that $mirror can be reached"
fi
work=$(mktemp -d /var/tmp/hookswitch-base.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
debootstrap --variant=minbase trixie "$work/image" "$mirror" > "$work/log" 2>&1 ||
	die "debootstrap failed ($(tail -n 1 "$work/log")): check that $mirror can be reached"
rm -rf "$work"/image/var/cache/apt/archives/*.deb "$work"/image/var/lib/apt/lists/* "$work"/image/usr/share/{doc,man,info,locale}/*
{
	echo "deb $mirror trixie main"
	echo "deb $mirror trixie-updates main"
	echo "deb ${mirror%/debian}/debian-security trixie-security main"
} > "$work/image/etc/apt/sources.list"
tar -C "$work/image" --numeric-owner -c . | docker import --change 'CMD ["bash"]' - "$image" > /dev/null
