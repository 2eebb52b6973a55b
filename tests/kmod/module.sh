# SPDX-License-Identifier: GPL-2.0-only
# module.sh - loading kvmrun.ko and looking at what that leaves, for test_module.sh and
# test_module_vmx.sh, which set module to its file

last_line()
{
	dmesg | sed -n 's/.*\] kvmrun: //p' | tail -n 1
}

# refused MODULE ERROR WORDS: it does not load, insmod and the kernel's log say why.
refused()
{
	local said

	said=$(insmod "$1" 2>&1) && return 1
	[[ $said == *"$2"* && $(last_line) == *"$3"* ]] && return
	printf '# %s\n' "$said" "$(last_line)"
	return 1
}

cycle()
{
	insmod "$module" && rmmod kvmrun
}

# Pages that neither /proc/meminfo nor the lists of free pages account for, in KiB:
# those that drivers have.
memory()
{
	sleep 1
	awk '/^(MemFree|Buffers|Cached|Slab|AnonPages|PageTables|SecPageTables|KernelStack|Percpu):/ { n += $2 }
		/^MemTotal:/ { total = $2 } /^ +count:/ { n += $2 * 4 } END { print total - n }' \
		/proc/meminfo /proc/zoneinfo
}

# HOLD is a program that hold, of the test itself, has started: it is ready (held), it ends (let_go).
held()
{
	local line

	read -r line <&"${HOLD[0]}"
	[ "$line" = ready ]
}

let_go()
{
	eval "exec ${HOLD[1]}>&-"
	wait "$HOLD_PID" 2> /dev/null
}

# Where the kernel's log is now: what the machine itself had to complain about when it booted is
# another matter (6.12 is not content with the topology of Bochs's CPU).
began="kvmrun's tests begin, $$"
echo "$began" > /dev/kmsg

# 6.12's kvm_amd, loaded beside a VM of ours, says that two want to know of a crash
complaints()
{
	dmesg | awk -v began="$began" 'index($0, began) { from = NR } { line[NR] = $0 }
		END { while (from++ < NR) print line[from] }' | grep -E "BUG:|WARNING:|Oops|refcount" | grep -v cpu_emergency_
}
