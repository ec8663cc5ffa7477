#!/usr/bin/env bash
# Stops the stack; its data stays.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
compose down "$@"
