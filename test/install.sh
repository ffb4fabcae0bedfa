#!/bin/sh
# Installs the programs that the tests run and Go cannot fetch: a RabbitMQ node, two
# browsers, Node with npm, curl, jq, script, promtool, systemd-analyze. It needs no rights and
# prints nothing when they are there. Debian and its relatives only.
#
#   sh test/install.sh
set -eu

# want PACKAGE COMMAND...: the package is needed unless one of the commands is there.
missing=
want() {
	package=$1
	shift
	for command in "$@"; do
		! command -v "$command" >/dev/null || return 0
	done
	missing="$missing $package"
}
want rabbitmq-server /usr/lib/rabbitmq/bin/rabbitmq-server
want chromium chromium chromium-browser google-chrome
want firefox-esr firefox-esr firefox
want nodejs node
want npm npm
want curl curl
want nginx /usr/sbin/nginx
want haproxy /usr/sbin/haproxy
want jq jq
want bsdutils script
want prometheus promtool
want systemd systemd-analyze
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "test/install.sh: there is no apt-get here; install by hand:$missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "test/install.sh: as root, install:$missing" >&2
		exit 1
	fi
	exec sudo sh "$0"
fi

# Each test starts a RabbitMQ node and load balancers of its own; the packages would start some for
# the whole machine. This is Debian's way to forbid that; what stood there
# before comes back, however this script ends.
policy=/usr/sbin/policy-rc.d
kept=
restore() {
	rm -f "$policy"
	[ -z "$kept" ] || mv "$kept" "$policy"
}
if [ -e "$policy" ]; then
	kept=$(mktemp "$policy.XXXXXX")
	mv "$policy" "$kept"
fi
trap restore EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of packages, not one
apt-get install -y -qq --no-install-recommends $missing

for service in rabbitmq-server prometheus nginx haproxy; do # nor shall it start with the machine
	case $missing in
	*$service*) ! command -v systemctl >/dev/null || systemctl disable --quiet "$service" || true ;;
	esac
done
