#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_build.sh - the module against the headers of each kernel it is for, as TAP
#
# From nothing, with the warnings of W=1, and sparse (address spaces, endianness).
# Says the size of the module's text and its lines.

cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Symbols that a module takes from the kernel and the kernel does not export.
not_exported()
{
	nm -u "$1" | awk -v exported="$2/Module.symvers" '
		BEGIN { while ((getline line < exported) > 0) { split(line, field, "\t"); have[field[2]] = 1 } }
		!have[$2] { print $2 }'
}

# defends OBJECT HEADERS ENTRY FEATURE...: the kernel patches OBJECT by each FEATURE of the CPU. An entry
# of .altinstructions has ENTRY bytes, and its feature's number behind 8 of them.
defends()
{
	local object=$1 features=$2/arch/x86/include/asm/cpufeatures.h entry=$3 feature number

	shift 3
	objcopy -O binary -j .altinstructions "$object" "$dir/alternatives" || return
	for feature; do
		number=$(($(sed -n "s/^#define X86_FEATURE_$feature[ \t]*\(([^)]*)\).*/\1/p" "$features")))
		[ $number -gt 0 ] && od -An -v -t u2 -w"$entry" "$dir/alternatives" | awk -v number=$number '
			$5 == number { found = 1 } END { exit !found }' || return
	done
}

echo 1..10
for version in 6.1 6.12; do
	release=$(kmod/kernels $version)
	out=$dir/$version
	log=$dir/log-$version
	# what debuggers are told is in no warning, and a sixth of the work
	make -s -C kmod RELEASE="${release:-$version}" OUT="$out" C=2 CF=-D__CHECK_ENDIAN__ KCFLAGS="-Werror -g0" \
		> "$log" 2>&1
	ok '[ -e "$out/kvmrun.ko" ]' "the module builds for $version ($release)"
	ok '[ -e "$out/kvmrun.ko" ] && ! grep -q . "$log"' "$version: neither the compiler at W=1 nor sparse has anything to say"
	[ ! -s "$log" ] || sed 's/^/# /' "$log" | head -n 40
	kdir=$(make -s -C kmod RELEASE="$release" print-kdir)
	ok '[ -e "$out/kvmrun.ko" ] && [ -e "$kdir/Module.symvers" ] && [ -z "$(not_exported "$out/kvmrun.ko" "$kdir")" ]' \
		"$version: it takes only what the kernel exports"
	ok '[ "$(modinfo -F license "$out/kvmrun.ko")" = GPL ] &&
		[ "$(modinfo -F vermagic "$out/kvmrun.ko" | cut -d" " -f1)" = "$release" ]' \
		"$version: its license is GPL and it is for that kernel"
	common=$(realpath "$kdir") common=${common%-*}-common
	# after a guest: what it left in the return stack; before one: buffers (MDS) and L1D (L1TF), which AMD's
	# CPUs need not; between two: branches
	[ $version = 6.1 ] && entry=12 || entry=14
	ok 'defends "$out/svm_entry.o" "$common" $entry RSB_VMEXIT && defends "$out/svm.o" "$common" $entry USE_IBPB &&
		defends "$out/vmx_entry.o" "$common" $entry RSB_VMEXIT RSB_VMEXIT_LITE CLEAR_CPU_BUF_VM &&
		defends "$out/vmx_cpu.o" "$common" $entry USE_IBPB && nm "$out/vmx.o" | grep -q l1d_filler' \
		"$version: threat_37 the defences against speculation are in its entries and exits"
	echo "# $release: $(size "$out/kvmrun.ko" | awk 'END { print $1 }') bytes of text"
done
echo "# $(cat kmod/*.[chS] | wc -l) lines"
