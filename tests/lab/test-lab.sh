#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test-lab.sh - what the lab promises, as TAP
#
# Each test is a function named after what must hold; it prints why on stderr
# and returns non-zero when it does not.  Boots are slow, so that a test checks
# all that one boot can show.
set -u

here=$(dirname "$(readlink -f "$0")")
project=$(readlink -f "$here/../..")
work=$(mktemp -d "${TMPDIR:-/tmp}/test-lab.XXXXXX")
trap 'rm -rf "$work"' EXIT
# The runs' own directories go below this one, to see that they are removed.
mkdir "$work/tmp"
export TMPDIR=$work/tmp

lab()
{
	"$here/lab" "$@"
}

# same WHAT EXPECTED ACTUAL
same()
{
	[ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'" >&2; return 1; }
}

# fails_with STATUS LINE ARG...: the lab ends with that status and prints
# nothing but that line, on stderr.
fails_with()
{
	local status=$1 line=$2
	shift 2
	lab "$@" >"$work/out" 2>"$work/err" </dev/null
	same status "$status" $? && same stderr "$line" "$(cat "$work/err")" &&
		same stdout "" "$(cat "$work/out")"
}

streams_and_status_pass_unchanged_and_a_process_left_behind_keeps_nothing_up()
{
	local start=$SECONDS

	head -c 1048576 /dev/urandom >"$work/in"
	head -c 524288 /dev/urandom >"$work/in2"
	lab --timeout 200 --share "$work" -- sh -c "sleep 1000 & tee /dev/stderr <'$work/in2' >/dev/null; cat; exit 7" \
		<"$work/in" >"$work/out" 2>"$work/err"
	same status 7 $? && cmp "$work/in" "$work/out" && cmp "$work/in2" "$work/err" &&
		[ $((SECONDS - start)) -lt 200 ]
}

arguments_pass_unchanged_to_a_command_as_root_in_the_project_with_a_fixed_environment()
{
	local args=("" "two words" "it's" $'line\nbreak' '$HOME `id` "\' $'\xff\x01' '*') want

	want=$(printf '%s\n' COPIED=copied HOME=/root LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		SHELL=/bin/sh "SPACED=a b" TERM=xterm USER=root)
	# the environment of the shell as it began: it may add to it
	COPIED=copied HIDDEN=hidden lab --env COPIED --env "SPACED=a b" --env=TERM=xterm -- sh -c '
		printf "%s\0" "$@" >&2
		tr "\0" "\n" </proc/$$/environ | sort
		pwd; id -u; test -c /dev/kvm && echo kvm; nproc; uname -r' - "${args[@]}" \
		>"$work/out" 2>"$work/err" </dev/null
	same status 0 $? && printf '%s\0' "${args[@]}" | cmp - "$work/err" &&
		same "environment and more" "$want
$project 0 kvm 1 6.1" "$(head -n -5 "$work/out")
$(tail -n 5 "$work/out" | xargs | sed 's/\(6\.1\)\.0.*/\1/')"
}

# Two at a time, which do not disturb each other.
a_command_killed_by_a_signal_gives_128_plus_its_number_and_one_that_is_not_there_127()
{
	local first

	"$here/lab" -- sh -c 'echo one; kill -SEGV $$' >"$work/one" 2>/dev/null </dev/null &
	first=$!
	lab -- /no/such/command </dev/null >"$work/two" 2>"$work/err"
	same "status of the second" 127 $? && same second "" "$(cat "$work/two")" && [ -s "$work/err" ] &&
		{ wait $first; same "status of the first" 139 $?; } && same first one "$(cat "$work/one")"
}

with_icount_equal_work_takes_equal_guest_time_and_verbose_shows_the_console_on_stderr()
{
	local cpus first second rest

	lab -v --icount --module none -- bash -c '
		nproc
		for n in 1 2; do
			start=${EPOCHREALTIME/./}
			for ((i = 0; i < 20000; i++)); do :; done
			echo $((${EPOCHREALTIME/./} - start))
		done' >"$work/out" 2>"$work/err" </dev/null
	same status 0 $? && { read -r cpus && read -r first && read -r second; } <"$work/out" || return 1
	rest=$((first > second ? first - second : second - first))
	same nproc 1 "$cpus" && [ "$first" -gt 0 ] && [ $((rest * 100)) -lt "$first" ] ||
		{ echo "microseconds: $first, then $second" >&2; return 1; }
	same lines 3 "$(wc -l <"$work/out")" && grep -q 'reboot: Power down' "$work/err"
}

status_zero_passes_and_a_silent_command_prints_nothing()
{
	lab -- true >"$work/out" 2>&1 </dev/null
	same status 0 $? && same output "" "$(cat "$work/out")"
}

writes_below_a_shared_directory_are_seen_on_the_host_and_no_others()
{
	local share="$work/share, with comma" other="$here/written-in-the-lab"

	mkdir -p "$share"
	echo before >"$share/old"
	lab --share "$share" -- sh -c "cat '$share/old' && echo after >'$share/old' &&
		mkdir '$share/dir' && echo new >'$share/dir/new' &&
		echo gone >'$other' && cat '$other' && rm -f /etc/passwd /bin/true &&
		echo gone >>'$project/README.md'" >"$work/out" </dev/null
	same status 0 $? && same output "before gone" "$(echo $(cat "$work/out"))" &&
		same old after "$(cat "$share/old")" && same new new "$(cat "$share/dir/new")" &&
		[ ! -e "$other" ] && [ -s /etc/passwd ] && [ -x /bin/true ] &&
		! grep -qs '^gone$' "$project/README.md"
}

a_hang_ends_at_the_timeout()
{
	fails_with 124 "lab: not ended after 5 s: machine stopped (--timeout)" \
		--timeout 5 -- sleep 1000
}

# crashes_with STATUS COMMAND OPTION...: a crash of the guest's kernel after COMMAND
# is reported with its console, and ends the lab with that status. $work/out is
# what was printed, which has a second to leave the machine.
crashes_with()
{
	local status=$1 command=$2
	shift 2
	lab "$@" -- sh -c "$command && sleep 1 && echo c >/proc/sysrq-trigger" >"$work/out" 2>"$work/err" </dev/null
	same status "$status" $? &&
		grep -q "^lab: the guest's kernel (6.1.* crashed or stopped; its console:\$" "$work/err" &&
		grep -q '^lab: | .*Kernel panic - not syncing: sysrq triggered crash' "$work/err"
}

without_a_module_there_is_no_kvm_and_smp_and_mem_are_as_told_and_a_crash_is_reported()
{
	# shellcheck disable=SC2016 # for awk
	crashes_with 123 'nproc; ! ls /dev/kvm && awk "/MemTotal/ { print int(\$2 / 400000) }" /proc/meminfo' \
		--module none --smp 2 --mem 1G &&
		same output "2 2" "$(xargs <"$work/out")" && grep -q '/dev/kvm.*No such file' "$work/err"
}

a_crash_after_kvmrun_ko_was_loaded_is_told_from_one_of_the_emulators()
{
	crashes_with 125 'rmmod kvmrun' --module ours && same stdout "" "$(cat "$work/out")"
}

a_reader_that_goes_away_ends_the_machine()
{
	set -o pipefail
	lab --timeout 200 -- yes </dev/null | head -n 1 >"$work/out"
	same status 141 $? && same output y "$(cat "$work/out")"
}

a_signal_ends_the_machine_and_its_processes()
{
	local pid child

	"$here/lab" --timeout 200 -- sleep 1000 </dev/null &
	pid=$!
	while ! child=$(pgrep -f "qemu-system.*$work/tmp" | head -n 1) || [ -z "$child" ]; do
		kill -0 $pid || return 1
		sleep 0.2
	done
	kill -TERM $pid
	wait $pid
	same status 143 $? && ! kill -0 "$child" 2>/dev/null
}

a_kernel_of_the_backports_runs_too()
{
	"$here/prepare" 6.12 >/dev/null || return 1
	lab --kernel 6.12 -- sh -c 'uname -r; test -c /dev/kvm && echo kvm' >"$work/out" </dev/null
	same status 0 $? && same output "6.12 kvm " "$(tr '\n' ' ' <"$work/out" | sed 's/\(6\.12\)\.[^ ]*/\1/')"
}

with_vt_x_streams_status_arguments_and_shares_pass_as_with_amd_v()
{
	head -c 40000 /dev/urandom >"$work/in"
	mkdir "$work/share"
	echo before >"$work/share/old"
	lab --hv vmx --timeout 1500 --share "$work/share" --env "SPACED=a b" -- sh -c '
		cd "$1" && cat old >&2 && echo after >old && echo new >new && echo "$SPACED $2" >&2
		[ -c /dev/kvm ] && grep -qw vmx /proc/cpuinfo && echo kvm >&2
		sleep 1000 & cat; exit 7' - "$work/share" "it's 2" <"$work/in" >"$work/out" 2>"$work/err"
	same status 7 $? && cmp "$work/in" "$work/out" &&
		same stderr "before a b it's 2 kvm" "$(echo $(cat "$work/err"))" &&
		same old after "$(cat "$work/share/old")" && same new new "$(cat "$work/share/new")"
}

with_vt_x_time_is_counted_in_instructions_and_a_crash_is_reported_with_its_console()
{
	local first second rest

	# shellcheck disable=SC2016 # for bash there
	crashes_with 123 'bash -c '\''
		for n in 1 2; do
			start=${EPOCHREALTIME/./}
			for ((i = 0; i < 20000; i++)); do :; done
			echo $((${EPOCHREALTIME/./} - start))
		done'\' --hv vmx --timeout 1500 --icount --module none || return
	{ read -r first && read -r second; } <"$work/out" || return 1
	rest=$((first > second ? first - second : second - first))
	same lines 2 "$(wc -l <"$work/out")" && [ "$first" -gt 0 ] && [ $((rest * 20)) -lt "$first" ] ||
		{ echo "microseconds: $first, then $second" >&2; return 1; }
}

with_vt_x_a_hang_ends_at_the_timeout()
{
	fails_with 124 "lab: not ended after 5 s: machine stopped (--timeout)" \
		--hv vmx --timeout 5 -- sleep 1000
}

mistakes_in_the_options_give_one_line_and_125()
{
	fails_with 125 "lab: unknown option --bogus; see --help" --bogus -- true &&
	fails_with 125 "lab: no command given; see --help" --smp 1 &&
	fails_with 125 "lab: --timeout: a value is missing; see --help" --timeout &&
	fails_with 125 "lab: --timeout 1h: not a number of seconds" --timeout 1h true &&
	fails_with 125 "lab: --smp 0: not a number of CPUs" --smp 0 true &&
	fails_with 125 "lab: --mem 5: not a size like 512M or 2G" --mem=5 true &&
	fails_with 125 "lab: --share /no/such: not a directory on this machine" --share /no/such true &&
	fails_with 125 "lab: --kernel 5: must be one of: 6.1 6.12 debug" --kernel 5 true &&
	fails_with 125 "lab: --icount: for one CPU only; leave --smp out" --icount --smp 2 true &&
	fails_with 125 "lab: --mem 64M: too little for the kernel and its files" --hv vmx --mem 64M true &&
	{ [ -e build/lab/debug/built ] ||
		fails_with 125 "lab: the debug kernel is not built: tests/lab/debug-kernel" --kernel debug true; }
}

help_names_every_option()
{
	local option

	lab --help >"$work/out" 2>"$work/err" || return 1
	for option in --hv --cpu --kernel --module --share --env --timeout --smp --mem --icount -v --help; do
		grep -q -- "^  $option" "$work/out" || { echo "--help lacks $option" >&2; return 1; }
	done
	same stderr "" "$(cat "$work/err")"
}

# This one is last: it looks at what all the others left.
no_process_and_no_directory_is_left_behind()
{
	same "left in TMPDIR" "" "$(ls -A "$work/tmp")" &&
		same processes "" "$(pgrep -f "(qemu-system|bochs).*$work/tmp")"
}

# The kernel's download is not part of any test's time or output.
"$here/prepare" 6.1 >/dev/null || { echo "Bail out! the lab cannot be prepared"; exit 1; }

tests=$(sed -n 's/^\([a-z][a-z0-9]*_[a-z0-9_]*\)()$/\1/p' "$0" | grep -vxE 'fails_with|crashes_with')
[ $# -eq 0 ] || tests=$*
echo "1..$(echo $tests | wc -w)"
number=0 failed=0
for name in $tests; do
	number=$((number + 1))
	if ($name) >"$work/log" 2>&1; then
		echo "ok $number - $name"
	else
		failed=1
		echo "not ok $number - $name"
		sed 's/^/# /' "$work/log"
	fi
done
exit $failed
