#!/bin/sh
# What the module's packages export, against the last tag. An incompatible change fails, unless
# test/apidiff.txt has its line: who makes such a change on purpose puts it there as it is printed
# here, with a line in the CHANGELOG; with the next tag the file is emptied. The packages for tests
# of which the README says that they may change are not compared. Before the first tag, and in a
# copy without git, there is nothing to compare with.
set -eu
cd "$(dirname "$0")/.."
module=github.com/taskcluster/events-proxy
tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || exit 0

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/old"
git archive "$tag" | tar -x -C "$tmp/old"
go build -o "$tmp/apidiff" golang.org/x/exp/cmd/apidiff
export GOWORK=off
(cd "$tmp/old" && "$tmp/apidiff" -m -w "$tmp/old.export" "$module")
"$tmp/apidiff" -m -w "$tmp/new.export" "$module"
"$tmp/apidiff" -m -incompatible "$tmp/old.export" "$tmp/new.export" >"$tmp/changes"

allowed='^- (\./)?(actors/amqp/brokertest/rabbit|http/proxytest)[./:]|^$'
if grep -Ev "$allowed" "$tmp/changes" | grep -vxF -f test/apidiff.txt >"$tmp/broken"; then
	echo "incompatible with $tag (see test/apidiff.sh):"
	cat "$tmp/broken"
	exit 1
fi
