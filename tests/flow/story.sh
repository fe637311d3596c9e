#!/bin/bash
# The demo, played quietly: its own checks are the test.
set -u
TMPDIR=$TMP packaging/demo >"$TMP/story" 2>&1 && rc=0 || rc=$?
if [ $rc -ne 0 ]; then
	cat "$TMP/story"
	exit $rc
fi
sed -n 's/^=== /ok /p' "$TMP/story"
rest=$(find "$TMP" /dev/shm -maxdepth 1 -name 'cdop-demo.*' -user "$(id -un)")
if [ -z "$rest" ]; then
	echo "ok nothing of it is left"
else
	echo "not ok left behind: $rest"
fi
