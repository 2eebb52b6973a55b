#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_qemu.sh [firmware|linux]... - Debian's unmodified QEMU on this machine's KVM device, as TAP
#
# Both parts where none is named, here or in KVMRUN_TEST_QEMU:
#
#	firmware	SeaBIOS, and what it boots: tests/kmod/qemu_boot.S
#	linux		the running kernel, if it is the lab's, to its first process
#
# The interrupt controllers are QEMU's (kernel-irqchip=off). QEMU opens /dev/kvm;
# where there is none but a /dev/kvmrun it becomes a link to that, so this is for
# the lab: tests/lab/lab --module ours -- tests/kmod/test_qemu.sh

cd "$(dirname "$0")/../.." || exit
export LC_ALL=C
[ $# -gt 0 ] || set -- ${KVMRUN_TEST_QEMU:-firmware linux}
limit=600	# seconds until something has gone wrong, on however slow a machine
number=0
dir=$(mktemp -d) || exit
qemu= link=
trap 'kill $qemu 2> /dev/null; rm -rf "$dir" $link' EXIT

plan=0
for part; do
	case $part in
	firmware)	plan=$((plan + 7)) ;;
	linux)		plan=$((plan + 2)) ;;
	esac
done
if [ ! -e /dev/kvm ] && [ -e /dev/kvmrun ] && [ -w /dev ]; then
	ln -s kvmrun /dev/kvm
	link=/dev/kvm
fi
if [ ! -w /dev/kvm ]; then
	echo "1..0 # SKIP no /dev/kvm, and no /dev/kvmrun to link it to"
	exit
fi
echo "1..$plan"

# ok CONDITION NAME: CONDITION is evaluated; when it is false the logs' ends are shown.
ok()
{
	number=$((number + 1))
	if eval "$1"; then
		echo "ok $number - $2"
		return
	fi
	echo "not ok $number - $2"
	for log in "$dir"/{log,con,err,gdb}; do
		[ ! -s "$log" ] || tail -n 12 "$log" | tr -cd '\n -~' | cut -c1-160 | sed "s/^/# ${log##*/}: /"
	done
}

# start MACHINE OPTION...: $log is what came out of port 0x402, commands go to descriptor $monitor.
start()
{
	local machine=$1

	shift
	rm -f "$dir"/{log,con,err,gdb,monitor}
	: > "$dir/log"
	mkfifo "$dir/monitor"
	log=$dir/log
	qemu-system-x86_64 -accel kvm,kernel-irqchip=off -M "$machine" -m 64 -nodefaults -no-user-config \
		-display none -net none -no-reboot -chardev "file,id=log,path=$log" \
		-device isa-debugcon,iobase=0x402,chardev=log -monitor stdio "$@" \
		< "$dir/monitor" > "$dir/out" 2> "$dir/err" &
	qemu=$!
	exec {monitor}> "$dir/monitor"
}

# wait_for PATTERN FILE: until it is there; fails when QEMU has ended without it.
wait_for()
{
	local end=$((SECONDS + limit))

	until grep -aq "$1" "$2" 2> /dev/null; do
		if ! kill -0 $qemu 2> /dev/null || [ $SECONDS -ge $end ]; then
			grep -aq "$1" "$2"
			return
		fi
		sleep 0.2
	done
}

stop()
{
	(echo quit >&$monitor)	# which SIGPIPE ends where QEMU has
	exec {monitor}>&-
	wait $qemu
	qemu=
}

# Letters come in their order, with lines' ends between z and a.
in_order()
{
	tr -d '\n' | python3 -c 'import sys
t = sys.stdin.read()
sys.exit(not t or any((ord(b) - ord(a)) % 26 != 1 or not a.islower() for a, b in zip(t, t[1:])))'
}

letters()
{
	sed -e '1,/^boot: long mode/d' "$1"
}

# The colours of the screen's first, middle and last dot.
pixels()
{
	rm -f "$dir/screen"
	echo "screendump $dir/screen" >&$monitor
	timeout $limit python3 - "$dir/screen" <<'END'
import os, sys, time
size = lambda f: list(map(int, f.split(b"\n")[1].split()))
while True:
    time.sleep(0.2)
    if not os.path.exists(sys.argv[1]):
        continue
    f = open(sys.argv[1], "rb").read()
    if f.count(b"\n") < 3:
        continue
    w, h = size(f)
    if len(f) >= w * h * 3 + 15:
        break
body = f[-w * h * 3:]
at = lambda x, y: body[(y * w + x) * 3:(y * w + x) * 3 + 3].hex()
print(at(0, 0), at(w // 2, h // 2), at(w - 1, h - 1))
END
}

firmware()
{
	local first second no_asyncpf=,kvm-asyncpf-int=off alphabet=abcdefghijklmnopqrstuvwxyz
	local boot=(-drive "if=floppy,format=raw,file=$dir/boot.img" -device VGA,romfile=)

	start isapc
	ok 'wait_for "No bootable device" "$log"' "SeaBIOS looks for something to boot on -M isapc"
	stop

	gcc -nostdlib -static -no-pie -Wl,--build-id=none,-Ttext=0x7c00,--oformat=binary \
		tests/kmod/qemu_boot.S -o "$dir/boot.img" || return
	start pc "${boot[@]}"
	ok 'wait_for "boot: long mode" "$log"' \
		"a boot sector gets by timer, disk and screen from real mode to long mode on -M pc"
	ok 'wait_for "^$alphabet" "$log" && letters "$log" | in_order' "and keeps its registers there"
	first=$(pixels) second=$first
	for ((i = 0; i < 100; i++)); do
		second=$(pixels)
		[ "${second%% *}" = "${first%% *}" ] || break
	done
	ok '[ "${second%% *}" != "${first%% *}" ] && [ "${second#* }" = "${first#* }" ]' \
		"the dirty log shows the screen what has changed on it"

	# it goes to a file while it runs, and comes back from there
	echo "migrate \"exec:cat > $dir/state\"" >&$monitor
	stop
	cp "$log" "$dir/before"
	start pc "${boot[@]}" -incoming "exec:cat $dir/state"
	ok 'wait_for z "$log" && (letters "$dir/before"; cat "$log") | in_order' \
		"a migration to a file and back loses no state and no letter"
	stop

	[ ! -e /dev/kvmrun ] || no_asyncpf=
	# QEMU 7.2 aborts on stock KVM with all of -cpu host: an MSR of it needs KVM's own local APIC
	start pc -S -gdb "unix:$dir/gdbserver,server=on,wait=off" -cpu "host$no_asyncpf"
	until [ -e "$dir/gdbserver" ] || ! kill -0 $qemu; do sleep 0.2; done
	timeout $limit gdb -nx -batch -ex "target remote $dir/gdbserver" \
		-ex "stepi" -ex "p/x \$rip" -ex "stepi" -ex "stepi" -ex "p/x \$cs" -ex "x/1xb 0xffff0" \
		-ex "detach" > "$dir/gdb" 2>&1
	# SeaBIOS starts with a far jump to f000:e05b
	ok 'grep -q "= 0xe05b" "$dir/gdb" && grep -q "0xffff0:.*0xea" "$dir/gdb"' \
		"gdb single-steps the firmware by way of QEMU"
	ok 'wait_for "No bootable device" "$log"' "which goes on to look for something to boot after that, on -cpu host"
	stop
}

linux()
{
	local vmlinux root=$dir/root

	vmlinux=build/lab/$(uname -r)/vmlinux
	if [ ! -e "$vmlinux" ]; then
		for ((i = 0; i < 2; i++)); do
			number=$((number + 1))
			echo "ok $number - Linux # SKIP $vmlinux is not there: this is not the lab"
		done
		return
	fi
	mkdir -p "$root"/{bin,proc,dev}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cat > "$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "user space: $(/bin/busybox uname -r), $(/bin/busybox grep -c ^processor /proc/cpuinfo) CPU"
/bin/busybox poweroff -f
END
	chmod 755 "$root/init"
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) > "$dir/initrd"
	start pc -m 256 -chardev "file,id=con,path=$dir/con" -serial chardev:con \
		-kernel "$vmlinux" -initrd "$dir/initrd" -append "console=ttyS0 ignore_loglevel panic=-1 nokaslr \
mitigations=off cryptomgr.notests initcall_blacklist=load_system_certificate_list"
	ok 'wait_for "user space: $(uname -r), 1 CPU" "$dir/con"' "Debian's kernel boots on -M pc to its first process"
	ok 'wait_for "reboot: Power down" "$dir/con"' "and powers off"
	stop
}

for part; do
	"$part"
done
