#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_module.sh [MODULE] - loading and unloading kvmrun.ko, as TAP
#
# Needs to be root where modules can be loaded and AMD-V is: in the lab, with
# --module none. MODULE is the one for this kernel unless given.

module=${1:-build/kmod/$(uname -r)/kvmrun.ko}
number=0

ok()
{
	number=$((number + 1))
	if eval "$1"; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
	fi
}

# The value of an MSR on CPU 0, in hex.
msr()
{
	dd if=/dev/cpu/0/msr bs=8 count=1 skip=$(($1)) iflag=skip_bytes 2> /dev/null | od -An -tx8 | tr -d ' '
}

svme()
{
	echo $((0x$(msr 0xc0000080) >> 12 & 1))
}

last_line()
{
	dmesg | grep 'kvmrun: ' | tail -n 1
}

# Holds a device, and a VM of it, open until its stdin ends.
holder=$(mktemp)
cat > "$holder" <<'EOF'
import fcntl, os, sys
d = os.open(sys.argv[1], os.O_RDWR)
v = fcntl.ioctl(d, 0xae01, 0)
os.close(d)
print("ready", flush=True)
sys.stdin.read()
EOF

if [ ! -w /proc/modules ] && [ "$(id -u)" != 0 ] || ! modprobe msr 2> /dev/null; then
	echo "1..0 # SKIP modules cannot be loaded here"
	exit
fi
rmmod kvmrun 2> /dev/null
echo 1..14

ok '[ $(svme) = 0 ]' "hypervisor mode is off before"
ok 'insmod "$module"' "the module loads"
ok '[ -c /dev/kvmrun ] && [ $(stat -c %a /dev/kvmrun) = 660 ]' "the device is there, for its group only"
ok '[ $(svme) = 1 ] && [ $(msr 0xc0010117) != 0000000000000000 ]' "hypervisor mode is on"

coproc HOLD { exec python3 "$holder" /dev/kvmrun; }
read -r line <&"${HOLD[0]}"
ok '[ "$line" = ready ] && ! rmmod kvmrun 2> /dev/null' "it does not unload while a VM is there"
eval "exec ${HOLD[1]}>&-"
wait "$HOLD_PID" 2> /dev/null
ok 'rmmod kvmrun' "it unloads when the VM is gone"
ok '[ $(svme) = 0 ] && [ $(msr 0xc0010117) = 0000000000000000 ]' "nothing is left in the CPU"
ok '[ ! -e /dev/kvmrun ]' "nothing is left in /dev"

modprobe kvm_amd
coproc HOLD { exec python3 "$holder" /dev/kvm; }
read -r line <&"${HOLD[0]}"
ok '! insmod "$module" 2> /dev/null && [[ $(last_line) == *"in use by another hypervisor"* ]]' \
	"it refuses while another hypervisor is at work, and says so"
eval "exec ${HOLD[1]}>&-"
wait "$HOLD_PID" 2> /dev/null
modprobe -r kvm_amd
ok 'insmod "$module" && rmmod kvmrun' "and loads after that"

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

ok 'for i in {1..50}; do insmod "$module" && rmmod kvmrun || break; done; [ $i = 50 ]' "50 times in a row"
ok '! dmesg | grep -qE "BUG:|WARNING:|Oops|refcount"' "the kernel has nothing to complain about"
rm -f "$holder"
