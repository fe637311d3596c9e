#!/bin/bash
# The generator stops the build, with file and line, for every annotation
# that is missing, doubled, unknown, incomplete or attached to nothing; and
# what it makes of the true files is whole.
set -u
TMP=${TMP:-$(mktemp -d)}
dir=$TMP/generator
mkdir -p "$dir"

generate() { # FOLDER FILE...
	local from=$1
	shift
	mkdir -p "$dir/out"
	protoc -I"$from" -Iproto --cdop_out="$dir/out" \
		--plugin=protoc-gen-cdop=proto/protoc-gen-cdop "$@" 2>&1
}

say() { # RESULT NAME [OUTPUT]
	echo "$1 $2"
	if [ "$1" = "not ok" ]; then
		touch "$dir/failed" # some of this runs in subshells
		echo "    ${3:-}"
	fi
}

# refuses NAME FILE LINE WORDS < proto: LINE is where @@ stands.
refuses() {
	local name=$1 file=$2 words=$3 line out
	cat >"$dir/$file"
	line=$(grep -n '@@' "$dir/$file" | head -1 | cut -d: -f1)
	sed -i 's/ *@@//' "$dir/$file"
	if out=$(generate "$dir" "$file"); then
		say "not ok" "$name" "it was taken"
	elif grep -qF "$file:$line: " <<<"$out" &&
		grep -qF "$words" <<<"$out"; then
		say ok "$name"
	else
		say "not ok" "$name" "$out"
	fi
}

# ---- forms -----------------------------------------------------------------

FIELD='@field label="A" kind=TEXT need=OPTIONAL stage=LATER class=LOCATION'
form() { # LINES: the fields of the one group; G: the line above the group
	printf '%s\n' 'syntax = "proto2";' 'package cdop;' \
		'message Date { optional uint32 year = 1; }' \
		'message Form {' "  ${G:-// @group label=\"G\"}" \
		"  ${L:-optional} Group group = 1;" '}' 'message Group {'
	cat
	printf '%s\n' '}'
}

form <<EOT | refuses "a field without an annotation" forms.proto \
	"Group.a has no @field line"
  optional string a = 1; @@
EOT
form <<EOT | refuses "two annotations for one field" forms.proto \
	"a second annotation"
  // $FIELD
  // $FIELD @@
  optional string a = 1;
EOT
form <<EOT | refuses "an annotation a line too early" forms.proto \
	"@field attaches to nothing"
  // $FIELD
  optional string a = 1;

  // $FIELD

  optional string b = 2; @@
EOT
form <<EOT | refuses "an annotation behind a brace" forms.proto \
	"@field attaches to nothing"
  // $FIELD @@

  optional string a = 1;
EOT
form <<EOT | refuses "an annotation behind a field" forms.proto \
	"@field attaches to nothing"
  // $FIELD
  optional string a = 1;  // $FIELD @@
EOT
form <<EOT | refuses "an annotation of a message" forms.proto \
	"@field attaches to nothing"
  // $FIELD
  optional string a = 1;
}
// $FIELD @@
message Other {
EOT
form <<EOT | refuses "an annotation in a message that is no group" \
	forms.proto "@field attaches to nothing"
  // $FIELD
  optional string a = 1;
}
message Other {
  // $FIELD @@
  optional string a = 1;
EOT
form <<EOT | refuses "an unknown annotation" forms.proto \
	"unknown annotation @feild"
  // @feild label="A" @@
  optional string a = 1;
EOT
form <<EOT | refuses "an unknown key" forms.proto "unknown word colour"
  // $FIELD colour=red @@
  optional string a = 1;
EOT
form <<EOT | refuses "a key twice" forms.proto "label stands twice"
  // $FIELD label="B" @@
  optional string a = 1;
EOT
form <<EOT | refuses "a missing class" forms.proto "class= is missing"
  // @field label="A" kind=TEXT need=OPTIONAL stage=LATER @@
  optional string a = 1;
EOT
form <<EOT | refuses "an unknown class" forms.proto \
	"class=SECRET is none of"
  // @field label="A" kind=TEXT need=OPTIONAL stage=LATER class=SECRET @@
  optional string a = 1;
EOT
form <<EOT | refuses "an unknown kind" forms.proto "kind=WORD is none of"
  // @field label="A" kind=WORD need=OPTIONAL stage=LATER class=LOCATION @@
  optional string a = 1;
EOT
form <<EOT | refuses "half a quoted label" forms.proto "cannot read"
  // @field label="A kind=TEXT need=OPTIONAL stage=LATER class=LOCATION @@
  optional string a = 1;
EOT
form <<EOT | refuses "a kind that is not of the type" forms.proto \
	"does not go with the type"
  // $FIELD @@
  optional uint32 a = 1;
EOT
form <<EOT | refuses "a code without its list" forms.proto \
	"list= goes with kind=CODE"
  // @field label="A" kind=CODE need=OPTIONAL stage=LATER class=LOCATION @@
  optional string a = 1;
EOT
form <<EOT | refuses "a number without bounds" forms.proto \
	"min= and max= go with"
  // @field label="A" kind=INTEGER need=OPTIONAL stage=LATER class=LOCATION @@
  optional uint32 a = 1;
EOT
form <<EOT | refuses "a number upside down" forms.proto "is no number from"
  // @field label="A" kind=INTEGER min=9 max=1 need=OPTIONAL stage=LATER class=LOCATION @@
  optional uint32 a = 1;
EOT
form <<EOT | refuses "a required field" forms.proto "has to be optional"
  // $FIELD @@
  required string a = 1;
EOT
form <<EOT | refuses "a repeated field" forms.proto "has to be optional"
  // $FIELD @@
  repeated string a = 1;
EOT
G='' L=optional form <<EOT | sed 's|^  // @group.*|  |' |
  // $FIELD
  optional string a = 1;
EOT
	sed 's|  optional Group group = 1;|& @@|' |
	refuses "a group without an annotation" forms.proto \
		"has no @group or @meta line"
L=repeated G='// @group label="G" max=3' form <<EOT |
  // $FIELD
  optional string a = 1;
EOT
	sed 's|message Group {|& @@|' |
	refuses "a repeated group without a number" forms.proto \
		"have a number"
L=repeated form <<EOT | sed 's|// @group.*|& @@|' |
  // $FIELD
  optional string a = 1;
EOT
	refuses "a repeated group without a bound" forms.proto \
		"max= goes with a repeated group"

# protoc itself keeps numbers that went.
form >"$dir/forms.proto" <<EOT
  reserved 7;
  // $FIELD
  optional string a = 7;
EOT
if out=$(generate "$dir" forms.proto); then
	say "not ok" "a field number used again"
else
	say ok "a field number used again"
fi

# ---- calls -----------------------------------------------------------------

POLICY='roles=ANY scope=NONE state=OPEN purpose=NO txn=READ audit=READ second=NO ttl=0 use=NO'
service() {
	printf '%s\n' 'syntax = "proto2";' 'package cdop;' 'message A {}' \
		'message B {}' 'service Registry {'
	cat
	printf '%s\n' '}'
}

service <<EOT | refuses "a call without a policy" registry.proto \
	"Status has no @policy line"
  rpc Status (A) returns (B); @@
EOT
service <<EOT | refuses "half a policy line" registry.proto \
	"@policy: ttl= is missing"
  // @policy id=1 ${POLICY/ttl=0 /} @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "an unknown role" registry.proto \
	"roles=QUEEN is none of"
  // @policy id=1 ${POLICY/roles=ANY/roles=ANY|QUEEN} @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "an id used twice" registry.proto \
	"id=1 is that of Status"
  // @policy id=1 $POLICY
  rpc Status (A) returns (B);
  // @policy id=1 $POLICY @@
  rpc Other (A) returns (B);
EOT
service <<EOT | refuses "an id that is reserved" registry.proto \
	"id=4 is reserved"
  // @reserved id=3,4

  // @policy id=4 $POLICY @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "an id that is no number" registry.proto \
	"is no number from"
  // @policy id=one $POLICY @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "a time limit without a second person" \
	registry.proto "ttl goes with second"
  // @policy id=1 ${POLICY/ttl=0/ttl=72h} @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "a second person without a time limit" \
	registry.proto "ttl goes with second"
  // @policy id=1 ${POLICY/second=NO/second=CUSTODIAN} @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "anybody as the second person" registry.proto \
	"second=ANY is none of"
  // @policy id=1 ${POLICY/second=NO ttl=0/second=ANY ttl=15m} @@
  rpc Status (A) returns (B);
EOT
service <<EOT | refuses "a policy above no call" registry.proto \
	"@policy attaches to nothing"
  // @policy id=1 $POLICY
  rpc Status (A) returns (B);
}
// @policy id=2 $POLICY @@
message C {
EOT

# ---- the true files --------------------------------------------------------

# protoc drops a comment that stands before a closing brace: count them here.
rm -rf "$dir/out"
if out=$(generate proto forms.proto registry.proto); then
	say ok "the true files are taken"
	for pair in forms:fields_table registry:rpc_table; do
		file=proto/${pair%%:*}.proto
		table=$dir/out/${pair##*:}.inc
		written=$(grep -cE '^ *// *@[a-z]' "$file")
		seen=$(sed -nE '1s/.*Annotations: ([0-9]+)\..*/\1/p' "$table")
		if [ "$written" = "$seen" ]; then
			say ok "every annotation of $file was seen"
		else
			say "not ok" "every annotation of $file was seen" \
				"$written written, $seen seen"
		fi
	done
	calls=$(grep -cE '^ *rpc ' proto/registry.proto)
	rows=$(grep -c '^RPC(' "$dir/out/rpc_table.inc")
	if [ "$calls" = "$rows" ]; then
		say ok "every call has a row"
	else
		say "not ok" "every call has a row" "$calls calls, $rows rows"
	fi
	if grep -qF 'RPC(Status, status, StatusRequest, StatusReply, cdop__status_request, cdop__status_reply, 1, (CDOP_ROLE_ANY | CDOP_ROLE_PENDING), CDOP_SCOPE_' "$dir/out/rpc_table.inc"; then
		say ok "a row reads as dispatch expects it"
	else
		say "not ok" "a row reads as dispatch expects it" \
			"$(grep '^RPC(Status' "$dir/out/rpc_table.inc")"
	fi
else
	say "not ok" "the true files are taken" "$out"
fi
[ ! -e "$dir/failed" ]
