#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_refusals.sh - CPUs that the module does not load on, as TAP; each in the lab
#
# Other reasons not to load need no other CPU: test_module.sh, test_module_vmx.sh.

cd "$(dirname "$0")/../.." || exit 1
log=$(mktemp) bios=$(mktemp) || exit 1
trap 'rm -f "$log" "$bios"' EXIT
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

echo 1..7
refused svm 6.1 max,-svm "Operation not supported" "this CPU has no AMD-V (SVM) and no VT-x (VMX)" "6.1: it refuses a CPU without AMD-V, and says so"
refused svm 6.12 max,-svm "Operation not supported" "this CPU has no AMD-V (SVM) and no VT-x (VMX)" "6.12: it refuses a CPU without AMD-V, and says so"
refused svm 6.1 max,-npt "Operation not supported" "this CPU's AMD-V has no nested paging" \
	"it refuses a CPU without nested paging, and says so"
refused vmx 6.1 core2_penryn_t9600 "Operation not supported" "this CPU's VT-x, .* lacks EPT" \
	"it refuses a CPU without EPT, and says so"
refused vmx 6.1 corei5_lynnfield_750 "Operation not supported" "this CPU's VT-x, .* lacks unrestricted guests" \
	"it refuses a CPU without unrestricted guests, and says so"
refused vmx 6.1 p4_prescott_celeron_336 "Operation not supported" "this CPU has no AMD-V (SVM) and no VT-x (VMX)" \
	"it refuses a CPU without VT-x, and says so"
# firmware that locks IA32_FEATURE_CONTROL with VT-x off: Bochs's, which sets bits 0 and 2 of
# it (mov $0x3a, %ecx; rdmsr; or $5, %eax), with one that sets bit 0 only
LC_ALL=C sed 's/\(\x3a\x00\x00\x00\x0f\x32f\?\x83\xc8\)\x05/\1\x01/g' /usr/share/bochs/BIOS-bochs-latest > "$bios"
BOCHS_BIOS=$bios refused vmx 6.1 corei7_haswell_4770 "No such device" "VT-x (VMX) is switched off by the firmware" \
	"it refuses VT-x that the firmware has locked off, and says so"
