#!/usr/bin/env bash
# Waits until every service is healthy; else says which is not, with the end of its log.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deadline=$((SECONDS + ${HOOKSWITCH_START_SECONDS:-120}))
for service in $services; do
	id=$(compose ps -q "$service" | head -n 1)
	[ -n "$id" ] || die "the service $service has no container: run make up again"
	while :; do
		read -r health status restarts < <(docker inspect -f '{{.State.Health.Status}} {{.State.Status}} {{.RestartCount}}' "$id") || true
		[ "$health" != healthy ] || [ "$status" != running ] || break
		# A service that died three times says why; more tries change nothing.
		if [ "$SECONDS" -ge "$deadline" ] || [ "$restarts" -ge 3 ]; then
			docker logs --tail 15 "$id" >&2 || true
			die "the service $service is not healthy ($status, started $((restarts + 1)) times): mend what its last lines above say and run this again"
		fi
		sleep 0.2
	done
done
