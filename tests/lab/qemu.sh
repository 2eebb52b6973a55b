# SPDX-License-Identifier: GPL-2.0-only
#
# qemu.sh - the machine with AMD-V, on QEMU's software CPU: sourced by lab
#
# What passes between host and guest:
#
#	9p lab.root	the host's root, read-only
#	9p lab.shareN	each --share directory, read-write
#	9p lab.job	the run's directory: job, command, shares go in, status comes out
#	virtio ports	lab.stdin, lab.stdout, lab.stderr, each a FIFO in the run's directory
#	serial port	the guest kernel's console, the file `console' there

# machine_check: refuses what cannot be
machine_check()
{
	[ -z "$icount" ] || [ "$cpus" = 1 ] || die "--icount: for one CPU only; leave --smp out"
	command -v qemu-system-x86_64 >/dev/null ||
		die "qemu-system-x86_64 not found: apt-get install qemu-system-x86 seabios"
}

# add_9p TAG DIR OPTIONS; a comma in DIR is doubled, as QEMU wants it.
add_9p()
{
	machine+=(-fsdev "local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap$3"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

# machine_make: sets machine, the command that is the machine
machine_make()
{
	local i

	machine=(qemu-system-x86_64 -accel "tcg${in_turn:+,thread=single}" -cpu "${cpu:-max,-erms}" -smp "$cpus" -m "$mem"
		-no-reboot -nodefaults -no-user-config -display none -kernel "$vmlinux" -initrd "$initrd"
		-chardev "file,id=console,path=$run/console" -serial chardev:console
		-device virtio-serial-pci
		-chardev "file,id=stdout,path=$run/stdout" -device virtserialport,chardev=stdout,name=lab.stdout
		-chardev "file,id=stderr,path=$run/stderr" -device virtserialport,chardev=stderr,name=lab.stderr)
	if [ -n "$stdin" ]; then
		# Of QEMU's chardevs only this one passes on the end of a FIFO.
		machine+=(-chardev stdio,id=stdin,signal=off
			-device virtserialport,chardev=stdin,name=lab.stdin)
	fi
	add_9p lab.root / ,readonly=on
	add_9p lab.job "$run" ""
	for i in "${!shares[@]}"; do
		add_9p "lab.share$i" "${shares[i]}" ""
	done
	[ -z "$icount" ] || machine+=(-icount "shift=0,sleep=off")
	# With addresses that repeat (norandmaps) QEMU finds its translations again: an exec
	# takes 30 ms, not 80. Without rep_good, as without -erms above, the kernel clears and
	# copies pages by loops, not by string moves, which QEMU does byte by byte or word by
	# word, and each time looks for translations of what is overwritten: with them a run of
	# kvmrun takes 2.5 times as long.
	machine+=(-append "$kernel_arguments acpi=noirq norandmaps clearcpuid=rep_good $(tsc_argument)")
}

# The guest's TSC is the host's, unless it counts instructions: what it is told it need not measure.
tsc_argument()
{
	[ -z "$icount" ] || return 0
	gcc -O2 -o "$run/tsc" "${BASH_SOURCE%/*}/tsc.c" && echo "tsc_early_khz=$("$run/tsc")"
}

# machine_result: what is left to do for the status, and for the shares
machine_result()
{
	:
}

# machine_failure: dies of what QEMU itself had to say. When a guest writes CR8 while a virtual
# interrupt waits for it, 7.2 finds that it has not taken the lock that this needs: status 122.
machine_failure()
{
	if grep -q 'tcg_handle_interrupt: assertion failed: (qemu_mutex_iothread_locked())' "$run/machine"; then
		echo "lab: QEMU: an assertion about a lock of its own failed" >&2
		exit 122
	fi
	[ ! -s "$run/machine" ] || die "QEMU: $(head -n 4 "$run/machine" | tr '\n' ' ')"
}
