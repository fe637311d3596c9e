#!/bin/bash
# Completion offers what the program itself says it has.
set -u
PATH=$(dirname "$CDOP"):$PATH
export PATH
# shellcheck source=packaging/completions/cdop
. "$TOP/packaging/completions/cdop"
cd "$TMP" || exit 1
touch sample.csv
mkdir samples

# offers NAME WORD... -- WANTED: completing the last WORD offers WANTED.
offers() {
	local name=$1 words=() wanted word
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	wanted=$2
	COMP_WORDS=(cdop "${words[@]}")
	COMP_CWORD=${#words[@]}
	_cdop cdop
	for word in "${COMPREPLY[@]}"; do
		[ "$word" = "$wanted" ] && echo "ok $name" && return
	done
	echo "not ok $name: ${words[*]} offers ${COMPREPLY[*]:-nothing}"
}

offers "first words" '' -- notify
offers "a noun" ca -- case
offers "its verbs" case s -- show
offers "verbs after a global option" --json case '' -- list
offers "options of a command" notify --dr -- --dry-run
offers "global options everywhere" case list --js -- --json
offers "files where a file is wanted" notify --from sam -- sample.csv
offers "files where the command wants one" enrol sam -- sample.csv
offers "folders where the command wants one" audit verify sam -- samples
offers "help on a noun" help ca -- case
offers "help on its verbs" help case s -- show
