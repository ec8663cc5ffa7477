#!/bin/sh
# Healthy: the processes answer and the transaction module counts.
exec kamcmd -s unix:/run/kamailio/kamailio_ctl tm.stats > /dev/null
