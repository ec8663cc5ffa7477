#!/usr/bin/env bash
# build.sh [IMAGE...]: builds hookswitch/IMAGE for postgres, rtpengine, kamailio, control (the default) or test.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tag=${HOOKSWITCH_TAG:-latest}
docker buildx version > /dev/null 2>&1 || export DOCKER_BUILDKIT=0
arguments=()
for name in http_proxy https_proxy no_proxy; do
	[ -z "${!name:-}" ] || arguments+=(--build-arg "$name=${!name}")
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $services
for image in "$@"; do
	case $image in
	control) file=docker/control/Dockerfile target=(--target runtime) ;;
	test) file=docker/control/Dockerfile target=(--target test) ;;
	*) file=docker/$image/Dockerfile target=() ;;
	esac
	docker image inspect "hookswitch/$image:$tag" > /dev/null 2>&1 || say "building the image $image (minutes, the first time)"
	if ! docker build --network host "${arguments[@]}" "${target[@]}" -t "hookswitch/$image:$tag" -f "$root/$file" "$root" > "$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "the image $image could not be built: the reason is above (no network to Debian's mirror is the usual one)"
	fi
done
