#!/bin/sh
# Restarts the service only if it was running. dpkg calls this script with configure and, for an
# upgrade, the previous version; rpm calls it with 1 or 2.
set -e

unit=imagebuilder_exporter.service

first() {
	cat <<-EOF
		imagebuilder_exporter is installed but not started. First set the name of the target in
		/etc/imagebuilder_exporter/config.yml. Unless this is an EC2 instance with a role, also
		set credentials and a region in /etc/imagebuilder_exporter/environment. Then run:
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
