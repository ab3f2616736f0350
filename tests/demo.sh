#!/usr/bin/env bash
#
# tests/demo.sh [FILE.sql] - shows what the extension does, on a private server.
#
# Without a file: a web shop with rows in it goes from version 1 of its schema
# to version 4 and back (tests/cases/shop).  With a file, the output of
# `pg_dump -s`: an empty database is brought to what the file says, compared
# with a database that psql loaded the file into, and brought back.
#
# What should hold is checked on the way; exits 1 if something does not.  The
# whole plans are left in build/demo.  KEEP=1 leaves the server running too,
# DEMO_SERVER is its name.
set -euo pipefail

die()
{
	echo "tests/demo.sh: $*" >&2
	exit 1
}

# The user's file, as seen from where the user is.
file=${1:-}
if [[ -n $file ]]; then
	[[ -e $file ]] || die "there is no file \"$file\" (looked for it in $PWD)"
	[[ -f $file && -r $file && -s $file ]] || die "\"$file\" is not a file with something in it to read"
	[[ $(head -c 5 "$file" | tr -d '\0') != PGDMP ]] ||
		die "\"$file\" is not text; make it so: pg_restore -s -f schema.sql ${file@Q}"
	line=$(grep -aEnm 1 '^CREATE DATABASE .*;|^COPY .* FROM stdin;|^INSERT INTO ' "$file" || true)
	case ${line#*:} in
		'CREATE DATABASE '*) die "line ${line%%:*} of \"$file\" creates a database: make the file with pg_dump -s, without -C" ;;
		'COPY '* | 'INSERT '*) die "line ${line%%:*} of \"$file\" loads rows: make the file with pg_dump -s" ;;
	esac
	file=$(realpath -- "$file")
fi
cd "$(dirname "$0")/.."

shop=tests/cases/shop
server=${DEMO_SERVER:-demo}
plans=build/$server
lines=24  # of a plan, before the rest is counted
width=140 # of a line of it

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
	bold=$'\e[1m' faint=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[m'
else
	bold='' faint='' red='' green='' yellow='' plain=''
fi

checks=0
title()
{
	printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"
}

say()
{
	printf '  %s\n' "$*"
}

# Says that something is as it should be; ends the demonstration if it is not.
check() # WHAT GOT WANTED
{
	if [[ $2 != "$3" ]]; then
		printf '  %sfailed%s  %s\n' "$red" "$plain" "$1"
		diff --label 'as it should be' --label 'as it is' -u <(echo "$3") <(echo "$2") | sed 's/^/          /' | head -n 60
		exit 1
	fi
	checks=$((checks + 1))
	printf '  %sok%s      %s\n' "$green" "$plain" "$1"
}

# ---- Questions to the server ----

# The text of a file goes there as a value: the server need not be able to read it.
ask() # SQL [FILE]: in the SQL, :'wanted' is the text of the file
{
	local wanted=''
	[[ -z ${2:-} ]] || wanted='\set wanted `cat "$KN_FILE"`'
	KN_FILE=${2:-} psql -XqAt -v ON_ERROR_STOP=1 <<<"$wanted"$'\n'"$1"
}

show()
{
	psql -Xq -v ON_ERROR_STOP=1 -P footer=off -c "$1" | sed '/^$/d; s/^/  /'
}

# Does as ask, and leaves the seconds it took in $seconds and what came in $answer.
seconds=0
answer=
time_ask()
{
	local begin=${EPOCHREALTIME/[.,]/}
	answer=$(ask "$@") || return
	seconds=$(decimals $((${EPOCHREALTIME/[.,]/} - begin)))
}

decimals() # MICROSECONDS: seconds with two decimals
{
	printf '%d.%02d' "$(($1 / 1000000))" "$(($1 / 10000 % 100))"
}

fresh_database()
{
	psql -Xq -d postgres -c "CREATE DATABASE $1"
	export PGDATABASE=$1
	psql -Xq -c 'CREATE EXTENSION kints_norm'
}

count_tables()
{
	ask "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'kints')"
}

# ---- A plan to look at ----

colour()
{
	if [[ -z $bold ]]; then
		cat
		return
	fi
	sed -E \
		-e "s/^[^ .].*/$bold&$plain/" \
		-e "s/^( +[0-9]+  [a-z_]+ +)(destructive)/\1$red\2$plain/" \
		-e "s/^( +[0-9]+  [a-z_]+ +)(unsafe)/\1$yellow\2$plain/" \
		-e "s/^           .*/$faint&$plain/" \
		-e "s/^         ! .*/$yellow&$plain/"
}

# Shows the steps of a plan that matter most, as many as are quick to read, and
# counts the rest by what they do.
show_plan() # NAME
{
	awk -v room="$lines" -v file="$plans/$1.txt" '
		NR == 1 { print; next }
		$0 == "" { next }
		/^[^ ]/ { group = $0; next }
		/^ +[0-9]+  [a-z_]/ { # the head of a step: number, kind, severity
			steps++
			kind[steps] = $2
			rank[steps] = $3 ~ /^destructive/ ? 1 : $3 ~ /^unsafe/ ? 2 : 3
			if (rank[steps] < 3) severe++
			of[steps] = group
			sub(/^ /, "")
		}
		{ # a statement is cut after its sixth line; what is said about it is not
			if (/^       ! / || ++length_of[steps] < 8)
				text[steps] = text[steps] "  " $0 "\n"
			else if (length_of[steps] == 8)
				text[steps] = text[steps] "           ...\n"
		}
		function put(step) {
			if (of[step] != group) printf "\n%s\n", of[step]
			group = of[step]
			printf "%s", text[step]
			room -= gsub(/\n/, "\n", text[step])
			is_shown[step] = 1
		}
		END {
			group = ""
			if (severe && severe < steps) print "The gravest first:"
			for (wanted = severe ? 1 : 3; wanted <= (severe ? 2 : 3); wanted++)
				for (step = 1; step <= steps && room > 0; step++)
					if (rank[step] == wanted) put(step)
			for (step = 1; step <= steps; step++)
				if (!is_shown[step]) {
					if (!count[kind[step]]++) kinds[++kind_count] = kind[step]
					rest++
				}
			if (!rest) exit
			printf "\n... and %d more step%s:", rest, rest == 1 ? "" : "s"
			for (i = 1; i <= kind_count; i++) { # the most frequent first
				best = i
				for (j = i + 1; j <= kind_count; j++)
					if (count[kinds[j]] > count[kinds[best]]) best = j
				word = kinds[best]
				for (j = best; j > i; j--) kinds[j] = kinds[j - 1]
				printf "%s %d %s%s", (i - 1) % 5 ? "" : "\n   ", count[word], word, i < kind_count ? "," : "\n"
			}
			printf "The whole plan: %s\n", file
		}
	' "$plans/$1.txt" | LC_ALL=C.UTF-8 sed -E "s/^(.{$width}).+/\1.../" | colour | sed 's/^\(.\)/  \1/'
}

# ---- The shop ----

# The rows that must survive, as check.sql sees them.
survivors()
{
	psql -XqAt -v ON_ERROR_STOP=1 -f "$shop/check.sql"
}

count_rows()
{
	awk -F '|' 'NF == 3 { rows += $2 } END { print rows }' <<<"$1"
}

summary=()
first_version()
{
	local planning

	title 'Version 1, on an empty database: the plan'
	fresh_database shop
	time_ask "SELECT kints_plan_format(:'wanted')" "$shop/v1.sql"
	planning=$seconds
	printf '%s\n' "$answer" >"$plans/v1.txt"
	show_plan v1
	title 'Version 1: applied'
	time_ask "SELECT count(*) FROM kints_apply(:'wanted', '{\"name\": \"version 1\"}')" "$shop/v1.sql"
	say "SELECT * FROM kints_apply(:'v1')  -- $answer steps, $seconds s, $(count_tables) tables"
	summary+=("version 1|$(count_tables)|$answer|$planning|$seconds")
	check 'a second plan for version 1 is empty' "$(ask "SELECT count(*) FROM kints_plan(:'wanted')" "$shop/v1.sql")" 0
	psql -XqAt -v ON_ERROR_STOP=1 -f "$shop/seed.sql" >/dev/null
	rows=$(survivors)
	fingerprint=$(ask 'SELECT kints_fingerprint()')
	say "seeded: $(count_rows "$rows") rows in $(awk -F '|' 'NF == 3' <<<"$rows" | wc -l) tables; from here on they must survive"
}

next_version() # NUMBER
{
	local text=$shop/v$1.sql planning error status=0

	title "Version $1: the plan"
	time_ask "SELECT kints_plan_format(:'wanted')" "$text"
	planning=$seconds
	printf '%s\n' "$answer" >"$plans/v$1.txt"
	show_plan "v$1"
	if (($1 == 2)); then
		title 'What destroys something is refused, unless it is allowed'
		error=$(ask "SELECT * FROM kints_apply(:'wanted')" "$text" 2>&1) || status=$?
		sed 's/^/  /' <<<"$error"
		check 'it was refused' "$status ${error%%[0-9]*}" '3 ERROR:  the plan has '
		check 'nothing was changed' "$(ask 'SELECT kints_fingerprint()')" "$fingerprint"
	fi
	title "Version $1: applied"
	time_ask "SELECT count(*) FROM kints_apply(:'wanted', '{\"allow\": \"all\", \"name\": \"version $1\"}')" "$text"
	say "SELECT * FROM kints_apply(:'v$1', '{\"allow\": \"all\"}')  -- $answer steps, $seconds s, $(count_tables) tables"
	summary+=("version $1|$(count_tables)|$answer|$planning|$seconds")
	check 'a second plan is empty' \
		"$(ask "SELECT kints_plan_format(:'wanted')" "$text")" 'Nothing to do: the schema is as it should be.'
	check 'the rows are as they were' "$(survivors)" "$rows"
}

roll_back()
{
	title 'Back to version 1'
	time_ask "SELECT count(*) FROM kints_rollback(3, '{\"allow\": \"all\"}')"
	say "SELECT * FROM kints_rollback(3, '{\"allow\": \"all\"}')  -- $answer steps, $seconds s"
	summary+=("back to 1|$(count_tables)|$answer||$seconds")
	check 'the fingerprint is that of version 1' "$(ask 'SELECT kints_fingerprint()')" "$fingerprint"
	check 'a plan for version 1 is empty' "$(ask "SELECT count(*) FROM kints_plan(:'wanted')" "$shop/v1.sql")" 0
	check 'the rows are as they were' "$(survivors)" "$rows"
	title 'What ran'
	show 'SELECT version, name, state, steps, checksum_ok, drifted, applied_by, round(ms) AS ms FROM kints_status()'
}

from_models()
{
	local planning

	title 'The same from models, in another database'
	fresh_database models
	ask 'CREATE SCHEMA shop' # models speak of tables only
	time_ask "SELECT kints_plan_format((:'wanted')::jsonb)" "$shop/shop.models.json"
	planning=$seconds
	printf '%s\n' "$answer" >"$plans/models.txt"
	show_plan models
	title 'Models: applied'
	time_ask "SELECT count(*) FROM kints_apply((:'wanted')::jsonb)" "$shop/shop.models.json"
	say "SELECT * FROM kints_apply(:'models'::jsonb)  -- $answer steps, $seconds s, $(count_tables) tables"
	summary+=("models|$(count_tables)|$answer|$planning|$seconds")
	check 'a second plan is empty' \
		"$(ask "SELECT count(*) FROM kints_plan((:'wanted')::jsonb)" "$shop/shop.models.json")" 0
}

demonstrate_shop()
{
	local version
	first_version
	for version in 2 3 4; do
		next_version "$version"
	done
	roll_back
	from_models
	title 'Summary'
	print_table 'schema|tables|steps|plan s|apply s' "${summary[@]}"
	echo
	say "$(count_rows "$rows") of $(count_rows "$rows") rows kept through six migrations; $checks checks, all as they should be"
	look_around shop "the versions are in $shop"
}

# ---- A file of the user's ----

# What psql says while it loads the file, without what is of no interest here.
load_by_psql()
{
	sed '/^\\\(c\|connect\)\b/d' "$file" | psql -Xq -o /dev/null 2>&1 |
		grep -E '^(ERROR|FATAL|PANIC)|^invalid command' |
		grep -vE 'schema "public" already exists|unrecognized configuration parameter|\\(un)?restrict' || true
}

# A database made from the file by psql, to compare with.  Roles that the file
# speaks of are made, for it comes from another server.
make_reference()
{
	local errors role made
	while true; do
		psql -Xq -d postgres -c 'DROP DATABASE IF EXISTS loaded' 2>/dev/null
		fresh_database loaded
		errors=$(load_by_psql)
		made=0
		while read -r role; do
			psql -Xq -c "CREATE ROLE \"${role//\"/\"\"}\""
			made=1
		done < <(sed -n 's/.*role "\(.*\)" does not exist.*/\1/p' <<<"$errors" | sort -u)
		((made)) || break
	done
	if [[ -n $errors ]]; then
		head -n 10 <<<"$errors" | sed 's/^/  /'
		die 'psql cannot load the file into an empty database'
	fi
}

# A dump cut into objects, without those that are not modelled, and sorted;
# likewise the items of WITH (...): their order says nothing.
dump_sorted()
{
	pg_dump -s -d "$1" | grep -vE '^\\(un)?restrict ' | KN_UNMODELLED=$unmodelled awk '
		# "collation data.german" is of the kind of "-- Name: german; Type: COLLATION; Schema: data"
		# and of "-- Name: COLLATION german; Type: COMMENT; ..."
		function is_modelled(head, objects, i, kind) {
			for (i = split(ENVIRON["KN_UNMODELLED"], objects, "\n"); i > 0; i--)
				for (kind = toupper(objects[i]); sub(/ [^ ]*$/, "", kind);)
					if (index(head, "; Type: " kind ";") || index(head, "-- Name: " kind " ") == 1) return 0
			return 1
		}
		function sorted(list, items, count, i, j, item) {
			count = split(list, items, ", ")
			for (i = 2; i <= count; i++)
				for (j = i; j > 1 && items[j - 1] > items[j]; j--) {
					item = items[j]; items[j] = items[j - 1]; items[j - 1] = item
				}
			list = items[1]
			for (i = 2; i <= count; i++)
				list = list ", " items[i]
			return list
		}
		/^-- Name: / { if (text != "") print text; text = ""; is_left_out = !is_modelled($0); if (!is_left_out) text = $0; next }
		/^--|^$|^SET default_table/ || is_left_out { next }
		match($0, /WITH \([^()]*\)/) {
			$0 = substr($0, 1, RSTART + 5) sorted(substr($0, RSTART + 6, RLENGTH - 7)) substr($0, RSTART + RLENGTH - 1)
		}
		{ text = text "\001" $0 }
		END { if (text != "") print text }' | LC_ALL=C sort | tr '\001' '\n'
}

demonstrate_file()
{
	local before planning loading unmodelled text=$file status=0 begin encoding
	local whole='"schemas": "*"' # a dump speaks of a whole database

	title "psql loads the file, to compare with"
	encoding=$(sed -n "s/^SET client_encoding = '\([A-Za-z0-9_-]*\)';/\1/p" "$text" | head -n 1)
	[[ -z $encoding ]] || export PGCLIENTENCODING=$encoding
	begin=${EPOCHREALTIME/[.,]/}
	make_reference
	loading=$(decimals $((${EPOCHREALTIME/[.,]/} - begin)))
	say "psql -f ${file@Q}  -- $loading s, $(count_tables) tables"

	title 'The plan, from an empty database'
	fresh_database planned
	before=$(ask 'SELECT kints_fingerprint()')
	time_ask "SELECT kints_plan_format(:'wanted', 'text', '{$whole}')" "$text" || status=$?
	((status == 0)) || die 'no plan could be made; the error is above'
	planning=$seconds
	printf '%s\n' "$answer" >"$plans/file.txt"
	show_plan file
	unmodelled=$(ask "SELECT object FROM kints_plan(:'wanted', '{$whole}') WHERE kind = 'unmodelled' ORDER BY 1" "$text")
	if [[ -n $unmodelled ]]; then
		title 'Not modelled, so neither made nor compared'
		say "${unmodelled//$'\n'/$'\n  '}"
	fi

	title 'Applied'
	time_ask "SET client_min_messages = error; SELECT count(*) FROM kints_apply(:'wanted', '{$whole, \"allow\": \"all\"}')" "$text" || status=$?
	((status == 0)) || die 'the plan could not be applied; the error is above'
	((answer > 0)) || die 'there is nothing in the file to apply'
	say "SELECT * FROM kints_apply(:'file', '{$whole, \"allow\": \"all\"}')  -- $answer steps, $seconds s, $(count_tables) tables"
	summary+=("the file|$(count_tables)|$answer|$planning|$seconds")
	check 'a second plan is empty' \
		"$(ask "SELECT object FROM kints_plan(:'wanted', '{$whole}') ORDER BY 1" "$text")" "$unmodelled"
	check 'pg_dump -s is that of the database loaded by psql' "$(dump_sorted planned)" "$(dump_sorted loaded)"

	title 'Rolled back'
	time_ask "SELECT count(*) FROM kints_rollback(1, '{\"allow\": \"all\"}')"
	say "SELECT * FROM kints_rollback(1, '{\"allow\": \"all\"}')  -- $answer steps, $seconds s, $(count_tables) tables"
	summary+=("back|$(count_tables)|$answer||$seconds")
	check 'the fingerprint is that of the empty database' "$(ask 'SELECT kints_fingerprint()')" "$before"

	title 'Summary'
	print_table 'schema|tables|steps|plan s|apply s' "${summary[@]}"
	echo
	say "$checks checks, all as they should be"
	look_around planned "database loaded is the one that psql made of ${file@Q}"
}

# ---- The frame ----

print_table() # HEAD ROW...: cells with | between
{
	local line
	for line in "$@"; do
		IFS='|' read -r -a cells <<<"$line"
		printf '  %-10s %7s %7s %8s %8s\n' "${cells[0]}" "${cells[1]:-}" "${cells[2]:-}" "${cells[3]:-}" "${cells[4]:-}"
	done
}

look_around() # DATABASE REMARK
{
	say "done in $SECONDS s; the whole plans are in $plans"
	echo
	if [[ -n ${KEEP:-} ]]; then
		say "The server is still there; $2."
		say "  look around:  tests/server psql $server -d $1"
		say "  be rid of it: tests/server destroy $server"
	else
		say "To look around: \"make demo KEEP=1\" leaves the server running and says how to get in; $2."
	fi
}

finish()
{
	[[ -n ${KEEP:-} && $1 == 0 ]] || tests/server destroy "$server"
}

trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "Building the extension, and starting a private PostgreSQL server ..."
rm -rf "$plans"
mkdir -p "$plans"
tests/server start "$server"
eval "$(tests/server env "$server")"
say "$(psql -XAt -c "SELECT 'PostgreSQL ' || current_setting('server_version')"), ready after $SECONDS s"

if [[ -n $file ]]; then
	demonstrate_file
else
	demonstrate_shop
fi
