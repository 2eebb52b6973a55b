#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_refusals.sh - CPUs that the module does not load on, as TAP; each in the lab
#
# Other reasons not to load need no other CPU: test_module.sh.

cd "$(dirname "$0")/../.." || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
number=0

# refused HV KERNEL CPU ERROR WORDS NAME
refused()
{
	number=$((number + 1))
	tests/lab/lab --module none --timeout 900 --hv "$1" --kernel "$2" --cpu "$3" -- sh -c '
		insmod build/kmod/$(uname -r)/kvmrun.ko; dmesg | grep kvmrun; grep kvmrun /proc/modules' > "$log" 2>&1
	if grep -q "insmod: ERROR: .*: $4\$" "$log" && grep -q "kvmrun: $5" "$log" && ! grep -q '^kvmrun ' "$log"; then
		echo "ok $number - $6"
	else
		echo "not ok $number - $6"
		sed 's/^/# /' "$log"
	fi
}

echo 1..4
refused svm 6.1 max,-svm "Operation not supported" "this CPU has no AMD-V (SVM) and no VT-x (VMX)" "6.1: it refuses a CPU without AMD-V, and says so"
refused svm 6.12 max,-svm "Operation not supported" "this CPU has no AMD-V (SVM) and no VT-x (VMX)" "6.12: it refuses a CPU without AMD-V, and says so"
refused svm 6.1 max,-npt "Operation not supported" "this CPU's AMD-V has no nested paging" \
	"it refuses a CPU without nested paging, and says so"
refused vmx 6.1 core2_penryn_t9600 "Operation not supported" "this CPU's VT-x, .* lacks EPT" \
	"it refuses a CPU without EPT, and says so"
