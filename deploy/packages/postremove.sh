#!/bin/sh
# Lets systemd forget the unit, and at a purge removes the user. dpkg calls it with remove,
# purge and others, rpm with 0 or 1: it has no purge, and leaves the user.
set -e

name=imagebuilder_exporter

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
		systemctl reset-failed "$name.service" 2>/dev/null || :
	fi
	;;
purge)
	# The exporter writes no files: without this folder nothing belongs to the user any
	# more. What others have put there stays, and so does the user.
	if [ -d "/etc/$name" ]; then
		rmdir --ignore-fail-on-non-empty "/etc/$name" || :
	fi
	if [ ! -d "/etc/$name" ]; then
		userdel "$name" || :
	fi
	;;
esac
