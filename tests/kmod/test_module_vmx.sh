#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_module_vmx.sh [MODULE] - loading and unloading kvmrun.ko on VT-x, beside other
# hypervisors, as TAP
#
# Needs to be root where modules can be loaded and VT-x is: in the lab, with --hv vmx
# --module none. MODULE is the one for this kernel unless given. What a CPU's CR4.VMXE is
# only its kernel sees: it is off when kvm_intel gets a VM, and on when it does not.

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/module.sh"
module=${1:-build/kmod/$(uname -r)/kvmrun.ko}

# runs DEVICE: a VM on it runs a program
runs()
{
	[ "$(./kvmrun --device "$1" build/guest/hello 2> /dev/null)" = "$(build/guest/hello)" ]
}

# hold DEVICE: a VM is there, which has run, until let_go
hold()
{
	coproc HOLD { exec ./kvmrun --device "$1" /bin/busybox cat; }
	echo ready >&"${HOLD[1]}"
	held
}

clean()
{
	[ ! -e /dev/kvmrun ] &&
		! grep -q kvmrun /proc/devices /proc/misc /proc/modules /sys/devices/system/cpu/hotplug/states
}

if [ "$(id -u)" != 0 ] || ! grep -qw vmx /proc/cpuinfo; then
	echo "1..0 # SKIP no VT-x here, or no root"
	exit
fi
rmmod kvmrun 2> /dev/null
echo 1..16

ok 'insmod "$module"' "the module loads"
ok '[ -c /dev/kvmrun ] && [ $(stat -c %a /dev/kvmrun) = 660 ]' "threat_36 the device is there, for its group only"
ok 'hold /dev/kvmrun && ! rmmod kvmrun 2> /dev/null' "it does not unload while a VM is there"
let_go
ok 'exec 9<> /dev/kvmrun && ! rmmod kvmrun 2> /dev/null; exec 9>&-' "nor while its device is open"
ok 'rmmod kvmrun' "it unloads when both are gone"
ok clean "nothing is left in /dev, in /proc, in the CPUs' states"
modprobe kvm_intel
ok 'runs /dev/kvm' "nor in the CPU: kvm_intel gets VMs"

ok 'refused "$module" "resource busy" "kvm_intel is loaded"' "it refuses while kvm_intel is loaded, and says so"
hold /dev/kvm
ok 'refused "$module" "resource busy" "kvm_intel is loaded"' "and while kvm_intel is at work"
let_go
# a hypervisor of another name: the same module
other=$(mktemp)
sed 's/kvm_intel/kvm_other/g' "$(modinfo -n kvm_intel)" > "$other"
rmmod kvm_intel
ok 'insmod "$other" && hold /dev/kvm && refused "$module" "resource busy" "in use by another hypervisor (CR4.VMXE is set)"' \
	"it refuses while another hypervisor is at work, and says so"
let_go
rmmod kvm_other
ok clean "refusals leave nothing"

ok 'insmod "$module" && hold /dev/kvmrun' "and it loads after that"
# 6.1's loads and makes no VMs, 6.12's does not load
ok '! { modprobe kvm_intel 2> /dev/null && runs /dev/kvm; }' "kvm_intel gets no VM while it is loaded"
ok 'runs /dev/kvmrun' "and does not take VT-x away"
modprobe -r kvm_intel 2> /dev/null
let_go
rmmod kvmrun

cycle && cycle
before=$(memory)
times=${KVMRUN_TEST_LOADS:-20}
for ((i = 0; i < times; i++)); do
	cycle || break
done
loads=$(($(memory) - before))
# a page each time would be 4 KiB
ok '[ $i = $times ] && [ $loads -lt $((times * 3)) ]' "$times loads in a row leave no memory behind"
echo "# $loads KiB"
ok '[ -z "$(complaints)" ]' "the kernel has nothing to complain about"
complaints | sed 's/^/# /'
rm -f "$other"
