#!/bin/sh
# tls-reload.sh: new connections get the certificates that /etc/hookswitch/tls has now; calls and connections go on.
set -eu
tls-profiles.sh
exec kamcmd -s unix:/run/kamailio/kamailio_ctl tls.reload
