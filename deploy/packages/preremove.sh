#!/bin/sh
# Stops and disables before removal, not before an upgrade. dpkg calls it with remove or
# upgrade, rpm with 0 or 1.
set -e

unit=imagebuilder_exporter.service

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl stop "$unit"
	fi
	# This needs only files.
	if command -v systemctl >/dev/null; then
		systemctl --quiet disable "$unit"
	fi
	;;
esac
