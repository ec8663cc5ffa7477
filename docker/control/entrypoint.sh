#!/bin/bash
# Becomes hookswitchd with as many descriptors as it may have: a call takes a socket, a webhook another.
ulimit -n "$(ulimit -Hn)"
exec hookswitchd "$@"
