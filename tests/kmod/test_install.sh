#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_install.sh - make install and uninstall into a DESTDIR, as TAP
#
# What is installed is then taken into the lab, and loaded there by modprobe.

cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
# not below /tmp, which is the lab's own
dir=$(mktemp -d "$PWD/build/install.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

run_make()
{
	make -s --no-print-directory "$@" > "$dir/log" 2>&1 || { sed 's/^/# /' "$dir/log"; return 1; }
}

files()
{
	(cd "$dir/$1" && find . ! -type d | sed 's/^\.//' | LC_ALL=C sort)
}

releases=$(kmod/kernels)
version=$(sed -n 's/^VERSION := //p' Makefile)
common="/lib/udev/rules.d/60-kvmrun.rules
/usr/bin/kvmrun
/usr/share/bash-completion/completions/kvmrun
/usr/share/man/man1/kvmrun.1"
plain=$(printf '/lib/modules/%s/updates/kvmrun.ko\n' $releases; echo "$common")
sources=$(cd kmod && ls *.c *.h *.S Kbuild | grep -v '\.mod\.c$'; echo dkms.conf)
dkms=$(printf "/usr/src/kvmrun-$version/%s\n" $sources; echo "$common")

# A udev rule is a list of KEY OPERATOR "VALUE"; udevadm knows more, where it is.
valid_rule()
{
	if udevadm verify --help > /dev/null 2>&1; then
		udevadm verify "$1"
	else
		! grep -vE '^(#.*)?$' "$1" |
			grep -vqE '^([A-Z]+(\{[^}]*\})?(==|!=|=|\+=|:=)"[^"]*"(, |$))+$'
	fi
}

echo 1..11
ok 'run_make install PREFIX=/usr DESTDIR="$dir/plain" DKMS=no' "it installs into a DESTDIR"
ok '[ "$(files plain)" = "$(LC_ALL=C sort <<< "$plain")" ]' "the module of each kernel, the runner, its manual and the udev rule are there"
[ "$(files plain)" = "$(LC_ALL=C sort <<< "$plain")" ] || files plain | sed 's/^/# /'
ok 'valid_rule "$dir/plain/lib/udev/rules.d/60-kvmrun.rules"' "the udev rule is one"
ok 'grep -q "^KERNEL==\"kvmrun\".*GROUP=\"kvm\", MODE=\"0660\"" "$dir/plain/lib/udev/rules.d/60-kvmrun.rules"' \
	"and gives the device to the group kvm"

for kernel in 6.1 6.12; do
	tests/lab/lab --module none --kernel $kernel -- sh -c "
		tar -C '$dir/plain' -c . | tar -C / -x --keep-directory-symlink &&
		depmod && modprobe kvmrun && ls /dev/kvmrun && lsmod | grep kvmrun &&
		kvmrun build/guest/hello && rmmod kvmrun && ! ls /dev/kvmrun && echo gone" > "$dir/log" 2>&1
	ok '[ "$(tail -n 1 "$dir/log")" = gone ]' "modprobe, a program in a VM, rmmod: on what was installed for $kernel"
	[ "$(tail -n 1 "$dir/log")" = gone ] || sed 's/^/# /' "$dir/log"
done
ok 'run_make uninstall PREFIX=/usr DESTDIR="$dir/plain" && [ -z "$(files plain)" ]' "uninstall removes it all"

ok 'run_make install PREFIX=/usr DESTDIR="$dir/dkms" DKMS=yes' "for DKMS it installs into a DESTDIR"
ok '[ "$(files dkms)" = "$(LC_ALL=C sort <<< "$dkms")" ]' "the module's sources, and all else, are there"
[ "$(files dkms)" = "$(LC_ALL=C sort <<< "$dkms")" ] || files dkms | sed 's/^/# /'

# dkms in directories of its own: nothing of this machine's changes
release=$(kmod/kernels 6.12)
test_dkms()
{
	mkdir -p "$dir/tree"
	dkms build "kvmrun/$version" -k "$release" --dkmstree "$dir/tree" --sourcetree "$dir/dkms/usr/src" \
		--kernelsourcedir "$(make -s -C kmod RELEASE="$release" print-kdir)" > "$dir/log" 2>&1 &&
		find "$dir/tree" -name 'kvmrun.ko*' | grep -q . && return
	sed 's/^/# /' "$dir/log" "$dir"/tree/kvmrun/"$version"/build/make.log
	return 1
}
if command -v dkms > /dev/null; then
	ok test_dkms "DKMS builds the module from them"
else
	skip "dkms is not here" "DKMS builds the module from them"
fi
ok 'run_make uninstall PREFIX=/usr DESTDIR="$dir/dkms" && [ -z "$(files dkms)" ]' "uninstall removes these, too"
