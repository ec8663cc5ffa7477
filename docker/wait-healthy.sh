#!/usr/bin/env bash
# Waits until every service of the project is healthy; on a failure shows that service's last lines.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

for service in postgres rtpengine kamailio control; do
	id=$(compose ps -q "$service")
	[ -n "$id" ] || die "the service $service has no container; see: make logs"
	for _ in $(seq 120); do
		state=$(docker inspect -f '{{.State.Health.Status}}' "$id")
		[ "$state" = healthy ] && continue 2
		sleep 0.5
	done
	docker logs --tail 20 "$id" >&2 || true
	die "$service is $state after 60 s; its last lines are above"
done
