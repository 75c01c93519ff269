#!/bin/sh
# Makes the user before its files are unpacked. dpkg calls it with install or upgrade, rpm
# with 1 or 2.
set -e

name=imagebuilder_exporter

case "$1" in
install | upgrade | 1 | 2)
	getent group "$name" >/dev/null || groupadd --system "$name"
	getent passwd "$name" >/dev/null || useradd --system --gid "$name" \
		--home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin \
		--comment "Prometheus exporter for EC2 Image Builder" "$name"
	;;
esac
