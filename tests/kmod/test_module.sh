#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_module.sh [MODULE] - loading and unloading kvmrun.ko, as TAP
#
# Needs to be root where modules can be loaded and AMD-V is: in the lab, with
# --module none, better with --smp 2. MODULE is the one for this kernel unless given.

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/module.sh"
module=${1:-build/kmod/$(uname -r)/kvmrun.ko}
cpus=$(cd /dev/cpu 2> /dev/null && ls -d [0-9]*)

VM_HSAVE_PA=0xc0010117
EFER=0xc0000080

# msr INDEX CPU: its value, in hex.
msr()
{
	dd if="/dev/cpu/$2/msr" bs=8 count=1 skip=$(($1)) iflag=skip_bytes 2> /dev/null | od -An -tx8 | tr -d ' '
}

# set_msr INDEX CPU VALUE
set_msr()
{
	python3 -c 'import os, sys
index, cpu, value = (int(a, 0) for a in sys.argv[1:])
os.pwrite(os.open("/dev/cpu/%d/msr" % cpu, os.O_WRONLY), value.to_bytes(8, "little"), index)' "$@"
}

# EFER.SVME of each CPU, as 00 or 11 on two.
svme()
{
	local cpu

	for cpu in $cpus; do
		printf %d $((0x$(msr $EFER "$cpu") >> 12 & 1))
	done
}

clean()
{
	local cpu

	for cpu in $cpus; do
		[ "$(msr $EFER "$cpu")" = "${efer[cpu]}" ] && [ "$(msr $VM_HSAVE_PA "$cpu")" = 0000000000000000 ] ||
			return 1
	done
	! grep -q kvmrun /proc/devices /proc/misc /proc/modules /sys/devices/system/cpu/hotplug/states
}

# holder DEVICE [N]: N VMs, each with memory and a vCPU that has run; the last is
# there until its stdin ends.
holder=$(mktemp)
cat > "$holder" <<'END'
import ctypes, fcntl, mmap, os, struct, sys
d = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(-1, 1 << 20)
m[0xffff0] = 0xf4
for i in range(int((sys.argv + ["1"])[2])):
    v = fcntl.ioctl(d, 0xae01, 0)
    fcntl.ioctl(v, 0x4020ae46, struct.pack("IIQQQ", 0, 0, 0xfff00000, 1 << 20,
                                          ctypes.addressof(ctypes.c_char.from_buffer(m))))
    c = fcntl.ioctl(v, 0xae41, 0)
    fcntl.ioctl(c, 0xae80, 0)
    if i:
        os.close(before[0])
        os.close(before[1])
    before = c, v
os.close(d)
print("ready", flush=True)
sys.stdin.read()
END

hold()
{
	coproc HOLD { exec python3 "$holder" "$1"; }
	held
}

if [ "$(id -u)" != 0 ] || ! modprobe msr 2> /dev/null; then
	echo "1..0 # SKIP modules cannot be loaded here"
	exit
fi
cpus=$(cd /dev/cpu && ls -d [0-9]*)
for cpu in $cpus; do
	efer[cpu]=$(msr $EFER "$cpu")
done
off=$(echo $cpus | tr -dc '0-9 ' | sed 's/[0-9]*/0/g; s/ //g') on=${off//0/1}
rmmod kvmrun 2> /dev/null
# what is loaded here need not come from the host each time, nor with what debuggers read
objcopy --strip-debug "$module" /tmp/kvmrun.ko && module=/tmp/kvmrun.ko
echo 1..25

ok '[ "$(svme)" = $off ]' "hypervisor mode is off before"
ok 'insmod "$module"' "the module loads"
ok '[ -c /dev/kvmrun ] && [ $(stat -c %a /dev/kvmrun) = 660 ]' "threat_36 the device is there, for its group only"
ok '[ "$(svme)" = $on ] && [ "$(msr $VM_HSAVE_PA 0)" != 0000000000000000 ]' "hypervisor mode is on, on every CPU"

ok 'hold /dev/kvmrun && ! rmmod kvmrun 2> /dev/null' "it does not unload while a VM is there"
if [ -w /sys/devices/system/cpu/cpu1/online ]; then
	echo 0 > /sys/devices/system/cpu/cpu1/online
	ok '! taskset -c 1 true 2> /dev/null && [ "$(cpus=0 svme)" = 1 ]' "a CPU goes offline with a VM there"
	echo 1 > /sys/devices/system/cpu/cpu1/online
	ok '[ "$(svme)" = $on ]' "and is in hypervisor mode when it comes back"
else
	skip "one CPU" "a CPU goes offline with a VM there"
	skip "one CPU" "and is in hypervisor mode when it comes back"
fi
let_go
ok 'exec 9<> /dev/kvmrun && ! rmmod kvmrun 2> /dev/null; exec 9>&-' "nor while its device is open"
ok 'rmmod kvmrun' "it unloads when both are gone"
ok clean "nothing is left in the CPUs, in /proc, in the CPUs' states"
ok '[ ! -e /dev/kvmrun ]' "nothing is left in /dev"

modprobe kvm_amd
ok 'refused "$module" "resource busy" "kvm_amd is loaded"' "it refuses while kvm_amd is loaded, and says so"
hold /dev/kvm
ok 'refused "$module" "resource busy" "kvm_amd is loaded"' "and while kvm_amd is at work"
let_go
modprobe -r kvm_amd
last=${cpus##*[!0-9]}
set_msr $EFER "$last" $((0x${efer[last]} | 1 << 12))
ok 'refused "$module" "resource busy" "in use by another hypervisor"' \
	"it refuses when any CPU is in hypervisor mode, and says so"
set_msr $EFER "$last" "0x${efer[last]}"

# QEMU has no VM_CR: the same module with an MSR in its place that can be set.
sed 's/\x14\x01\x01\xc0/\x03\x01\x00\xc0/g' "$module" > "$holder.ko"
tsc_aux=$(msr 0xc0000103 0)
for cpu in $cpus; do
	set_msr 0xc0000103 "$cpu" 0x10
done
ok '! cmp -s "$module" "$holder.ko" && refused "$holder.ko" "No such device" "switched off by the firmware"' \
	"it refuses when the firmware has disabled AMD-V, and says so"
for cpu in $cpus; do
	set_msr 0xc0000103 "$cpu" "$cpu"
done
ok clean "refusals leave nothing"

ok 'insmod "$module" && hold /dev/kvmrun' "and it loads after that"
# 6.1's loads and makes no VMs, 6.12's does not load
ok '! { modprobe kvm_amd && python3 "$holder" /dev/kvm < /dev/null; } 2> /dev/null' "kvm_amd gets no VM while it is loaded"
ok '[ "$(svme)" = $on ]' "and does not take hypervisor mode away"
modprobe -r kvm_amd 2> /dev/null
let_go
rmmod kvmrun

# What a call of the first posting answers, and KVM_GET_API_VERSION after it.
classic()
{
	python3 - <<'END'
import errno, fcntl, os
d = os.open("/dev/kvmrun", os.O_RDWR)
try:
    r = fcntl.ioctl(d, 0x4004ae0b, 0)
except OSError as e:
    r = errno.errorcode[e.errno]
print(r, fcntl.ioctl(d, 0xae00, 0))
END
}

ok 'insmod "$module" && [ "$(classic)" = "0 12" ] && rmmod kvmrun' \
	"the first posting's calls are there, and today's"
ok 'insmod "$module" classic=0 && [ "$(classic)" = "ENOTTY 12" ] && rmmod kvmrun' \
	"with classic=0 only today's"

cycle && cycle
before=$(memory)
times=${KVMRUN_TEST_LOADS:-50}
ok 'for ((i = 0; i < times; i++)); do cycle || break; done; [ $i = $times ]' "$times times in a row"
loads=$(($(memory) - before))
insmod "$module"
python3 "$holder" /dev/kvmrun 2 < /dev/null > /dev/null
before=$(memory)
ok 'python3 "$holder" /dev/kvmrun 40 < /dev/null > /dev/null' "40 VMs in a row"
vms=$(($(memory) - before))
rmmod kvmrun
# a page each time would be 4 KiB
ok '[ $loads -lt $((times * 3)) ] && [ $vms -lt 140 ]' "that leaves no memory behind"
echo "# $loads KiB after the loads, $vms KiB after the VMs"
ok '[ -z "$(complaints)" ]' "the kernel has nothing to complain about"
complaints | sed 's/^/# /'
rm -f "$holder" "$holder.ko"
