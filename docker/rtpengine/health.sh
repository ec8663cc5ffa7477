#!/bin/sh
cli="${RTPENGINE_CLI:-127.0.0.1:2224}"
exec rtpengine-ctl -ip "${cli%:*}" -port "${cli#*:}" list numsessions > /dev/null
