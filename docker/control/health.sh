#!/bin/sh
# Healthy: REST answers. hookswitchd checks itself, so the image needs no HTTP client.
exec hookswitchd --health
