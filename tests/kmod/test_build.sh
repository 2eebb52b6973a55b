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

echo 1..8
for version in 6.1 6.12; do
	release=$(kmod/kernels $version)
	out=$dir/$version
	log=$dir/log-$version
	make -s -C kmod RELEASE="${release:-$version}" OUT="$out" C=2 CF=-D__CHECK_ENDIAN__ KCFLAGS=-Werror \
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
	echo "# $release: $(size "$out/kvmrun.ko" | awk 'END { print $1 }') bytes of text"
done
echo "# $(cat kmod/*.[chS] | wc -l) lines"
