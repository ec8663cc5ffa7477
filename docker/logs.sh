#!/usr/bin/env bash
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ -f "$root/.env" ] || die "there is no .env, so nothing was started from here; make up makes it"
compose logs -f --tail=100
