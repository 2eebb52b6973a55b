# SPDX-License-Identifier: GPL-2.0-only
#
# bochs.sh - the machine with VT-x, on the emulator Bochs: sourced by lab
#
# The whole of the guest's files is in its initramfs, on the disk's end. What passes
# between host and guest:
#
#	disk	bochs-boot.S; the kernel; an archive of programs and modules, which are
#		made once for each kernel (`pack'); one of the project and the shares, with
#		lab.job, the run's directory: job, command, shares, stdin
#	com1	the guest kernel's console, the file `console' in the run's directory
#	com2, 3	stdout and stderr, each a FIFO there
#	com4	the status, then an archive of the shares, the file `result' there

bochs=${BOCHS:-/usr/bin/bochs}
bios=${BOCHS_BIOS:-/usr/share/bochs/BIOS-bochs-latest}
# emulated instructions in a second of the guest's time
ips=50000000

# machine_check: refuses what cannot be
machine_check()
{
	command -v "$bochs" >/dev/null || die "bochs not found: apt-get install bochs bochs-term bochsbios vgabios"
	cpu=${cpu:-corei7_haswell_4770}
}

sectors()
{
	echo $((($(stat -Lc %s "$1") + 511) / 512))
}

# make_system FILE: the archive of programs and modules, with nmi_tick.ko
make_system()
{
	local headers=$project/build/lab/debug/out

	[ "${vmlinux%/vmlinux}" = "${headers%/out}" ] ||
		headers=$(make -s -C "$project/kmod" RELEASE="$release" print-kdir) && [ -n "$headers" ] ||
		die "the headers of $release are not here: tests/deps"
	mkdir "$run/tick" && cp "$here/nmi_tick.c" "$run/tick" && echo "obj-m := nmi_tick.o" >"$run/tick/Kbuild" &&
		make -s -C "$headers" M="$run/tick" CONFIG_DEBUG_INFO_BTF_MODULES= modules >&2 &&
		"$here/pack" system "${vmlinux%/vmlinux}" "$run/tick/nmi_tick.ko" >"$run/system" &&
		truncate -s %512 "$run/system" && mv "$run/system" "$1"
}

# make_disk: $run/disk.1 and on, which Bochs puts together
make_disk()
{
	local kernel=${vmlinux%/vmlinux} at size system

	system=$kernel/bochs-$(cat "$here"/{init-bochs,run,pack,nmi_tick.c} /var/lib/dpkg/status | sha256sum | head -c 16)
	[ -e "$kernel/flat" ] || { objcopy -O binary "$vmlinux" "$run/flat" && truncate -s %512 "$run/flat" &&
		mv "$run/flat" "$kernel/flat"; } || return
	[ -e "$system" ] || make_system "$system" || return

	mkdir -p "$run/root/lab.job"
	cp "$run"/{job,command,shares} "$run/root/lab.job"
	[ -z "$stdin" ] || cat <&"$caller_in" >"$run/root/lab.job/stdin"
	"$here/pack" project "$project" "$release" "${shares[@]}" >"$run/disk.4" &&
		(cd "$run/root" && find lab.job | cpio -o -H newc -R 0:0 --quiet) >>"$run/disk.4" || return
	ln -s "$kernel/flat" "$run/disk.2"
	ln -s "$system" "$run/disk.3"
	size=$(($(stat -Lc %s "$system") + $(stat -c %s "$run/disk.4")))
	truncate -s %512 "$run/disk.4"
	# at the memory's end, but for the BIOS's tables
	at=$((($(numfmt --from=iec "$mem") - size - (1 << 20)) & -65536))
	[ $at -gt $((96 << 20)) ] || die "--mem $mem: too little for the kernel and its files"

	# Bochs counts each repetition of a string instruction: without ERMS and FSRM the
	# kernel copies 8 bytes with each, not one
	# Where a CPU's timer stops in deep sleep Linux takes the 8254, which is nmi_tick's: it
	# is to halt only.
	echo -n "$kernel_arguments clearcpuid=297,580 init_on_alloc=0 rodata=off hpet=disable idle=halt reboot=t lsm=landlock" >"$run/cmdline"
	(cd "$run" && as --defsym KERNEL=0x1000000 --defsym KERNEL_SECTORS="$(sectors disk.2)" \
		--defsym ENTRY="$(readelf -h "$vmlinux" | sed -n 's/.*Entry point address: *//p')" \
		--defsym INITRD=$at --defsym INITRD_SIZE=$size \
		--defsym INITRD_SECTORS=$(($(sectors disk.3) + $(sectors disk.4))) \
		-o boot.o "$here/bochs-boot.S" && ld -Ttext 0x7c00 --oformat binary -o disk.1 boot.o) || return
	# whole cylinders of 16 heads with 63 sectors
	at=$(($(sectors "$run/disk.1") + $(sectors "$run/disk.2") + $(sectors "$run/disk.3") + $(sectors "$run/disk.4")))
	cylinders=$(((at + 1007) / 1008))
	truncate -s +$(((cylinders * 1008 - at) * 512)) "$run/disk.4"
}

# A command for bash: runs Bochs, "$0 $*", and reads its screen, a terminal that it makes,
# whose modes it may change meanwhile: else it stands still once 64 KiB wait there.
with_screen='exec "$0" "$@" > >(while IFS= read -r line; do
	echo "$line"
	[[ $line == "Bochs connected to screen "* ]] || continue
	line=${line#*\"} line=${line%\"*}
	while { stty raw -echo && cat >/dev/null; } <"$line"; do
		sleep 1
	done 2>/dev/null &
done) 2>&1'

# machine_make: sets machine, the command that is the machine
machine_make()
{
	local packaged= display=nogui cylinders megabytes=$(($(numfmt --from=iec "$mem") >> 20))

	make_disk || die "cannot make the machine's disk"
	# Debian's has a debugger, which wants a word to begin, and wants a terminal
	! "$bochs" --help 2>&1 | grep -q -- '-rc ' || packaged=1 display=term
	cat >"$run/bochsrc" <<-END
	${packaged:+plugin_ctrl: voodoo=0, sb16=0, es1370=0, ne2k=0, e1000=0, speaker=0, parallel=0, gameport=0, usb_uhci=0
	sound: driver=dummy}
	display_library: $display
	cpu: model=$cpu, count=$cpus, ips=$ips, reset_on_triple_fault=0
	memory: guest=$megabytes, host=$((megabytes < 2048 ? megabytes : 2048))
	romimage: file=$bios
	vgaromimage: file=/usr/share/vgabios/vgabios.bin
	ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
	ata0-master: type=disk, path=$run/disk.1, mode=concat, cylinders=$cylinders, heads=16, spt=63, translation=auto
	ata1: enabled=0
	boot: disk
	com1: enabled=1, mode=file, dev=$run/console
	com2: enabled=1, mode=file, dev=$run/stdout
	com3: enabled=1, mode=file, dev=$run/stderr
	com4: enabled=1, mode=file, dev=$run/result
	log: $run/bochs.log
	panic: action=fatal
	error: action=ignore
	info: action=ignore
	clock: sync=none
	pci: enabled=1, chipset=i440fx
	END
	echo c >"$run/rc"
	machine=("$bochs" -q -f "$run/bochsrc")
	[ -z "$packaged" ] || machine=(env TERM=xterm bash -c "$with_screen" "${machine[@]}" -rc "$run/rc")
}

# machine_result: of what the guest has written to com4 its status, and the shares
machine_result()
{
	[ -s "$run/result" ] || return
	head -n 1 "$run/result" >"$run/status"
	tail -n +2 "$run/result" | (cd / && cpio -idum --quiet) ||
		die "cannot write all of what the machine has left below --share"
}

# machine_failure: dies of what Bochs itself had to say, if the guest's kernel is not to blame
machine_failure()
{
	# of its configuration it complains before it has a log: of a CPU too many, say
	[ -e "$run/bochs.log" ] || die "Bochs: $(grep -am 1 '^\[' "$run/machine")"
	# a kernel's panic ends in a triple fault
	! grep -qE 'Kernel panic|lab: ' "$run/console" || return 0
	! grep -m 1 'PANIC' "$run/bochs.log" >"$run/panic" || die "Bochs: $(cat "$run/panic")"
}
