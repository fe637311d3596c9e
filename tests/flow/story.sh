#!/bin/bash
# The demo, played quietly: its own checks are the test.
set -u
# A place of its own: others may be playing it, too.  And not on that disk.
for top in /dev/shm /var/tmp; do
	[ "$(stat -c %d $top)" = "$(stat -c %d "$TMP")" ] || break
done
MEDIUM=$(mktemp -d $top/cdop-story.XXXXXX) || MEDIUM=$(mktemp -d)
export MEDIUM
trap 'rm -rf "$MEDIUM"' EXIT
TMPDIR=$TMP packaging/demo >"$TMP/story" 2>&1 && rc=0 || rc=$?
if [ "$rc" -ne 0 ]; then
	cat "$TMP/story"
	exit "$rc"
fi
sed -n 's/^=== /ok /p' "$TMP/story"
if grep -E '^\$ ' "$TMP/story"; then
	echo "not ok whose computer that is typed on"
else
	n=$(grep -c -E '^(server|ada|bob|cora|wendy|sefton|audrey)\$ ' "$TMP/story")
	[ "$n" -gt 20 ] || printf 'not '
	echo "ok each of $n commands says on whose computer it is typed"
fi
rest=$(find "$TMP" "$MEDIUM" -maxdepth 1 -name 'cdop-demo.*')
if [ -z "$rest" ]; then
	echo "ok nothing of it is left"
else
	echo "not ok left behind: $rest"
fi
