#!/bin/sh
# The suites that meet a broker, on newer RabbitMQs than this machine's: each is
# Debian's package of a newer suite, in a folder of its own (trixie has 4.0, sid
# has 4.3 with Khepri). As root, on Debian and its relatives; a folder takes a minute to
# make and 500 MB, and is kept for the next time.
#
#   sh test/brokers.sh                 trixie and sid, every suite below
#   sh test/brokers.sh sid ./test/faults -run A13
#
# BROKERS_DIR: where the folders are (default: events-brokers in TMPDIR).
set -eu
cd "$(dirname "$0")/.."
tmp=${TMPDIR:-/tmp}
folders=${BROKERS_DIR:-$tmp/events-brokers}
suites="./actors/amqp/... ./test/scenarios ./test/faults ./test/cluster ./test/chaos ./cmd/events ./test/balancers"

releases="trixie sid"
case ${1:-} in
trixie | sid) releases=$1; shift ;;
esac

if [ "$(id -u)" -ne 0 ]; then
	echo "test/brokers.sh: only root can make a folder in which another Debian's programs run" >&2
	exit 1
fi

# mirror is where this machine's own packages come from.
mirror() {
	sed -n 's/^URIs: *//p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' \
		/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1
}

# make_folder installs a release, unless it is there and complete.
make_folder() {
	[ ! -e "$1/complete" ] || return 0
	command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
	rm -rf "$1"
	mkdir -p "$folders"
	echo "making $1"
	if ! debootstrap --variant=minbase --include=rabbitmq-server,nginx,haproxy "$2" "$1" "$(mirror)" >"$1.log" 2>&1; then
		tail -n 20 "$1.log" >&2
		exit 1
	fi
	cp /etc/hosts "$1/etc/hosts"
	touch "$1/complete"
}

# A node's files have one name inside and outside, and it sees its own processes.
mounted=
unmount() {
	for place in $mounted; do umount "$place"; done
	mounted=
}
trap unmount EXIT
trap 'exit 1' HUP INT TERM
mount_into() {
	for place in /proc "$tmp"; do
		mkdir -p "$1$place"
		mountpoint -q "$1$place" || { mount --bind "$place" "$1$place"; mounted="$1$place $mounted"; }
	done
}

failed=
for release in $releases; do
	folder=$folders/$release
	make_folder "$folder" "$release"
	mount_into "$folder"
	version=$(chroot "$folder" dpkg-query -W -f '${Version}' rabbitmq-server)
	echo "RabbitMQ $version"
	if [ $# -eq 0 ]; then
		# shellcheck disable=SC2086 # a list of suites, not one
		set -- $suites
	fi
	skip=
	[ "$release" = trixie ] || skip='TestA42ALoneNodeThatPauses|TestChaosScriptsOnACluster/alone/a42-node-isolated' # with Khepri, none does
	DEBIAN_TEST_ROOT=$folder go test -skip "$skip" -race -p 1 -count 1 -timeout 20m "$@" || failed="$failed $version"
	unmount
done
[ -z "$failed" ] || { echo "failed with RabbitMQ$failed" >&2; exit 1; }
