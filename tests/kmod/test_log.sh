#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_log.sh - after the module's other tests: what the kernel has to say, as TAP
#
# On a kernel that looks for leaks (the debug kernel) it does so now.

complaints='BUG:|WARNING:|INFO: |Oops|KASAN:|UBSAN:|general protection|refcount_t'
leaks=/sys/kernel/debug/kmemleak

if ! dmesg > /dev/null 2>&1; then
	echo "1..0 # SKIP the kernel's log cannot be read here"
	exit
fi
echo 1..2
if dmesg | grep -E "$complaints" -A 40 | sed 's/^/# /' | head -n 200 | grep .; then
	printf 'not '
fi
echo "ok 1 - the kernel's log has no complaint"

mount -t debugfs none /sys/kernel/debug 2> /dev/null
if [ ! -e $leaks ]; then
	echo "ok 2 - nothing leaked # SKIP this kernel has no kmemleak"
	exit
fi
# what was allocated in the last 5 seconds is never reported; a second look
# forgets what was only on its way from one place to another
sleep 6
echo scan > $leaks
sleep 1
echo scan > $leaks
if sed 's/^/# /' $leaks | head -n 200 | grep .; then
	printf 'not '
fi
echo "ok 2 - nothing leaked"
