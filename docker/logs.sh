#!/usr/bin/env bash
# logs.sh [SERVICE...]: follows the logs.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
compose logs -f --tail=100 "$@"
