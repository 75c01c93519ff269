#!/bin/sh
# Starts nothing that did not run. dpkg calls it with configure and, unless this is the
# first time, the version before; rpm with 1 or 2.
set -e

unit=imagebuilder_exporter.service

first() {
	cat <<-EOF
		imagebuilder_exporter is installed, and not started. Give the target in
		/etc/imagebuilder_exporter/config.yml a name: without one it does not start. It needs
		credentials and a region: those of the EC2 instance, or
		/etc/imagebuilder_exporter/environment. Then:
		  systemctl enable --now imagebuilder_exporter
	EOF
}

case "$1 $2" in
"configure " | "1 ") first ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	case "$1" in
	configure | 2) systemctl try-restart "$unit" || : ;;
	esac
fi
