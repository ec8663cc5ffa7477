#!/bin/sh
exec pg_isready -q -h /run/postgresql -U hookswitch -d hookswitch
