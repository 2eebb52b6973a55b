# SPDX-License-Identifier: GPL-2.0-only
# tap.sh - results as TAP, for tests that are shell scripts; the plan is theirs
number=0

# ok CONDITION NAME: CONDITION is evaluated
ok()
{
	number=$((number + 1))
	if eval "$1"; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
	fi
}

# skip REASON NAME
skip()
{
	number=$((number + 1))
	echo "ok $number - $2 # SKIP $1"
}
