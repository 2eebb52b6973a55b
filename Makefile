# SPDX-License-Identifier: GPL-2.0-only
#
# make		./kvmrun (and, where kernel headers are, the module)
# make demo	set up, build, and run real programs in virtual machines
# make check	set up, build, and run every test; on kernel 6.12 a part of the whole program's
# make check-lab	all that runs in the lab, with nothing left out on 6.12
# make check-real	Debian's dynamic programs, and public test suites, compared with native runs, all of
#		them; REAL="kernel/futex* stress/fork" only these of the suites (tests/real/public.rows),
#		REAL="go/os python/signal" those of tests/real/suites.list
# make check-vmx	all that runs in the lab with VT-x
# make check-asan	the tests of the runner's parts with sanitizers; make check-valgrind under valgrind
# make check-hw	the module on this machine's own CPU, as root (docs/testing.md)
# make check-debug	the module's tests on a debug kernel (docs/testing.md)
# make bench	measure, into docs/bench.md; make bench-kmod the module, into docs/bench-kmod.md;
#		make bench-limits how late limits are, into docs/bench-limits.md
# make install	DESTDIR and PREFIX as usual; the module by DKMS if that is here (DKMS=yes or no)
# make uninstall

PREFIX ?= /usr/local
VERSION := 0.1
B := build

ifneq ($V,1)
MAKEFLAGS += --silent
endif

CC := gcc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror
CPPFLAGS += -D_GNU_SOURCE= -DKVMRUN_VERSION='"$(VERSION)"'
RUNNER_CFLAGS := -std=gnu11 $(WARN) $(CFLAGS)
LDLIBS := -lelf -lseccomp -ljansson

# kernels whose headers are here: each gets the module, in $B/kmod/RELEASE
RELEASES := $(shell kmod/kernels)

all: kvmrun kmod

kmod: $(RELEASES:%=kmod-for-%)
kmod-for-%:
	$(MAKE) -C kmod RELEASE=$*

# ------------------------------------------------------------------------ shim
SHIM_CFLAGS := -std=gnu11 $(WARN) -O2 -g -ffreestanding -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fno-pic -fno-pie -fcf-protection=none -fno-asynchronous-unwind-tables
SHIM_OBJS := $(patsubst shim/%.c,$B/shim/%.o,$(filter-out shim/vdso.c,$(wildcard shim/*.c))) $B/shim/entry.o

$B/shim/%.o: shim/%.c | $B/shim
	$(CC) $(SHIM_CFLAGS) -MMD -MP -c $< -o $@
$B/shim/%.o: shim/%.S | $B/shim
	$(CC) -g -I$B/shim -MMD -MP -c $< -o $@
$B/shim/vdso_image.o: $B/shim/vdso.so
$B/shim/vdso.so: shim/vdso.c shim/vdso.lds shim/abi.h | $B/shim
	$(CC) -std=gnu11 $(WARN) -O2 -fPIC -shared -nostdlib -mgeneral-regs-only -fno-stack-protector \
		-fcf-protection=none -fno-asynchronous-unwind-tables -Wl,-T,shim/vdso.lds -Wl,-soname,linux-vdso.so.1 \
		-Wl,--hash-style=both -Wl,--build-id=none -Wl,-z,max-page-size=4096 $< -o $@
$B/shim/shim.elf: $(SHIM_OBJS) $B/shim/vdso_image.o shim/shim.lds
	$(LD) -nostdlib -static -z noexecstack --no-warn-rwx-segments -T shim/shim.lds $(filter %.o,$^) -o $@
$B/shim/shim.bin: $B/shim/shim.elf
	objcopy -O binary $< $@

# ---------------------------------------------------------------------- runner
RUNNER_OBJS := $(patsubst runner/%.c,$B/runner/%.o,$(wildcard runner/*.c)) \
	$(patsubst runner/%.S,$B/runner/%.o,$(wildcard runner/*.S))

$B/runner/%.o: runner/%.c | $B/runner
	$(CC) $(CPPFLAGS) $(RUNNER_CFLAGS) -MMD -MP -c $< -o $@
$B/runner/%.o: runner/%.S | $B/runner
	$(CC) $(CPPFLAGS) -I$B/shim -MMD -MP -c $< -o $@
$B/runner/shim_image.o: $B/shim/shim.bin

kvmrun: $B/runner/main.o $B/libkvmrun.a
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$B/libkvmrun.a: $(filter-out $B/runner/main.o,$(RUNNER_OBJS))
	rm -f $@
	$(AR) rcs $@ $^

$B/shim $B/runner $B/tests $B/threads $B/guest $B/kmod $B/examples $B/asan $B/fuzz $B/valgrind:
	mkdir -p $@

# ----------------------------------------------------------------------- tests
# tests/test_NAME.c with tests/lib makes $B/tests/test_NAME; a test of the
# runner's parts takes them from libkvmrun.a. tests/guest/NAME.c makes a static
# program, with musl where it is called NAME.musl.c.
TESTS := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/test_*.c))
GUESTS := $(patsubst tests/guest/%.c,$B/guest/%,$(wildcard tests/guest/*.c)) \
	$(addprefix $B/guest/,hello-pie hello-musl cxx cxx-pie)
TEST_CFLAGS := -std=gnu11 $(WARN) -O2 -g
# what tests share: tests/lib, and sources in tests that are no test themselves
TEST_MAINS := $(TESTS:%=%.o) $B/tests/elf_variants_main.o
TEST_OBJS := $(patsubst tests/lib/%.c,$B/tests/lib-%.o,$(wildcard tests/lib/*.c)) \
	$(filter-out $(TEST_MAINS),$(patsubst tests/%.c,$B/tests/%.o,$(wildcard tests/*.c)))

$B/tests/lib-%.o: tests/lib/%.c | $B/tests
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -MMD -MP -c $< -o $@
$B/tests/%.o: tests/%.c | $B/tests
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -Irunner -Itests -MMD -MP -c $< -o $@
$B/tests/libtest.a: $(TEST_OBJS)
	rm -f $@
	$(AR) rcs $@ $^
$B/tests/test_%: $B/tests/test_%.o $B/libkvmrun.a $B/tests/libtest.a
	$(CC) $(LDFLAGS) $(TEST_FIRST) $^ $(TEST_LIBS) $(LDLIBS) -lcmocka -lutil -o $@
$B/tests/test_elf: TEST_LIBS := -Wl,--wrap=pread
$B/tests/test_clock_page: TEST_LIBS := -Wl,--wrap=clock_gettime
$B/tests/test_handout: TEST_LIBS := -Wl,--wrap=handout_start
# their stand-ins for the VM and for signals come before the runner's own
$B/tests/test_calls $B/tests/test_path $B/tests/test_synth: TEST_FIRST := -Wl,--allow-multiple-definition $B/tests/guest_call.o

# a runner that its guest has taken over; never installed
$B/tests/kvmrun-taken: $B/runner/main.o $B/tests/takeover.o $B/tests/attempts.o $B/libkvmrun.a
	$(CC) $(LDFLAGS) -Wl,--wrap=call_serve $^ $(LDLIBS) -o $@

$B/tests/elf_variants: $B/tests/elf_variants_main.o $B/tests/elf_variants.o
	$(CC) $^ -o $@
.PRECIOUS: $B/tests/%.o $B/tests/lib-%.o

# test_shared has ThreadSanitizer in it, and in the runner's parts, where that works here;
# with much randomness in addresses (vm.mmap_rnd_bits) it works now and then
THREADS_OBJS := $(patsubst %,$B/threads/%.o,guest_call test_shared \
	$(filter-out main,$(patsubst runner/%.c,%,$(wildcard runner/*.c))))
$B/threads/flags: | $B/threads
	echo 'int main(void) { return 0; }' | $(CC) -fsanitize=thread -x c - -o $B/threads/probe 2> /dev/null && \
		(for try in 1 2 3 4 5 6 7 8 9 10; do $B/threads/probe 2> /dev/null || exit 1; done) && \
		echo -fsanitize=thread -Wno-tsan > $@ || : > $@
$B/threads/%.o: runner/%.c $B/threads/flags
	$(CC) $(CPPFLAGS) $(RUNNER_CFLAGS) $$(cat $B/threads/flags) -MMD -MP -c $< -o $@
$B/threads/%.o: tests/%.c $B/threads/flags
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $$(cat $B/threads/flags) -Irunner -Itests -MMD -MP -c $< -o $@
$B/tests/test_shared: $(THREADS_OBJS) $(patsubst runner/%.S,$B/runner/%.o,$(wildcard runner/*.S)) | $B/tests
	$(CC) $(LDFLAGS) $$(cat $B/threads/flags) -Wl,--allow-multiple-definition,--wrap=ioctl $^ $(LDLIBS) -lcmocka -o $@

# the runner's parts with AddressSanitizer and UndefinedBehaviorSanitizer, and fuzzers of them:
# tests/fuzz/NAME.c makes $B/fuzz/NAME
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(filter-out tests/fuzz/fuzz.c,$(wildcard tests/fuzz/*.c)))
ASAN_OBJS := $(patsubst runner/%.c,$B/asan/%.o,$(filter-out runner/main.c,$(wildcard runner/*.c))) \
	$(filter %.o,$(patsubst runner/%.S,$B/runner/%.o,$(wildcard runner/*.S)))

$B/asan/%.o: runner/%.c | $B/asan
	$(CC) $(CPPFLAGS) $(RUNNER_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@
$B/asan/tests-%.o: tests/%.c | $B/asan
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(SANITIZE) -Irunner -Itests -MMD -MP -c $< -o $@
$B/asan/tests-lib-%.o: tests/lib/%.c | $B/asan
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@
$B/fuzz/%.o: tests/fuzz/%.c | $B/fuzz
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(SANITIZE) -Itests -MMD -MP -c $< -o $@
$B/asan/libkvmrun.a: $(ASAN_OBJS)
	rm -f $@
	$(AR) rcs $@ $^
# the whole of it with them, for machines with a hypervisor: ASAN_OPTIONS=detect_leaks=0, which the jail has no calls for
$B/asan/kvmrun: $B/asan/main.o $B/asan/libkvmrun.a
	$(CC) $(LDFLAGS) $(SANITIZE) $^ $(LDLIBS) -o $@
$B/fuzz/%: $B/fuzz/%.o $B/fuzz/fuzz.o $B/asan/tests-guest_call.o $B/asan/libkvmrun.a
	$(CC) $(LDFLAGS) $(SANITIZE) -Wl,--allow-multiple-definition $^ $(LDLIBS) -lcmocka -o $@
# the tests of the runner's parts, but for: those of jails, whose filters know no calls of theirs; test_shared, which has
# ThreadSanitizer, that excludes them
PART_TESTS := $(patsubst tests/%.c,%,$(shell grep -L lib/harness.h tests/test_*.c))
ASAN_TESTS := $(patsubst %,$B/asan/%,$(filter-out test_jail test_handout test_shared,$(PART_TESTS)))
$B/asan/libtest.a: $(patsubst tests/lib/%.c,$B/asan/tests-lib-%.o,$(wildcard tests/lib/*.c)) \
	$(addprefix $B/asan/tests-,guest_call.o elf_variants.o)
	rm -f $@
	$(AR) rcs $@ $^
$B/asan/test_%: $B/asan/tests-test_%.o $B/asan/libkvmrun.a $B/asan/libtest.a
	$(CC) $(LDFLAGS) $(SANITIZE) $(TEST_FIRST) $^ $(TEST_LIBS) $(LDLIBS) -lcmocka -lutil -o $@
$B/asan/test_elf: TEST_LIBS := -Wl,--wrap=pread
$B/asan/test_clock_page: TEST_LIBS := -Wl,--wrap=clock_gettime
$B/asan/test_calls $B/asan/test_path $B/asan/test_synth: TEST_FIRST := -Wl,--allow-multiple-definition $B/asan/tests-guest_call.o
.PRECIOUS: $B/valgrind/%.o $B/asan/tests-%.o $B/asan/tests-lib-%.o $B/fuzz/%.o

# and under valgrind, with calls that it does not know made past it (tests/valgrind/calls.c). Not those of jails and
# test_shared, as above; test_interrupt, whose floods of signals valgrind cuts and whose crash it reports;
# test_path, where an openat2 of a FIFO, made past valgrind, keeps the thread that would end it from running
VALGRIND_TESTS := $(patsubst %,$B/valgrind/%,$(filter-out test_jail test_handout test_shared test_interrupt test_path,$(PART_TESTS)))
$B/valgrind/calls.o: tests/valgrind/calls.c | $B/valgrind
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -MMD -MP -c $< -o $@
$B/valgrind/test_%: $B/tests/test_%.o $B/valgrind/calls.o $B/libkvmrun.a $B/tests/libtest.a
	$(CC) $(LDFLAGS) $(TEST_FIRST) -Wl,--wrap=syscall,--wrap=interruptible_syscall $^ $(TEST_LIBS) $(LDLIBS) -lcmocka -lutil -o $@
$B/valgrind/test_elf: TEST_LIBS := -Wl,--wrap=pread
$B/valgrind/test_clock_page: TEST_LIBS := -Wl,--wrap=clock_gettime
$B/valgrind/test_calls $B/valgrind/test_synth: TEST_FIRST := -Wl,--allow-multiple-definition $B/tests/guest_call.o

# what of both a check has
QUICK_CHECKED := $(patsubst %,$B/asan/test_%,calls trace table load) $(patsubst %,$B/valgrind/test_%,trace table synth)

$B/guest/%.musl: tests/guest/%.musl.c | $B/guest
	musl-gcc -static -O2 -Wall -Wextra $< -o $@
$B/guest/%: tests/guest/%.c | $B/guest
	$(CC) -D_GNU_SOURCE= -static -O2 -Wall -Wextra -pthread $< -lm -o $@
$B/guest/hello-pie: tests/guest/hello.c | $B/guest
	$(CC) -static-pie -O2 $< -o $@
$B/guest/cxx: tests/guest/cxx.cc | $B/guest
	$(CXX) -static -O2 -Wall -Wextra $< -o $@
$B/guest/cxx-pie: tests/guest/cxx.cc | $B/guest
	$(CXX) -static-pie -O2 -Wall -Wextra $< -o $@
$B/guest/hello-musl: tests/guest/hello.c | $B/guest
	musl-gcc -static -O2 $< -o $@

# tests of the module's ABI, for either device
KMOD_TESTS := $(patsubst tests/kmod/%.c,$B/kmod/%,$(wildcard tests/kmod/test_*.c)) $B/kmod/fuzz
$B/kmod/%: tests/kmod/%.c tests/kmod/guest.c tests/kmod/guest.h kmod/classic.h | $B/kmod
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(filter %.c,$^) -pthread -lcmocka $(KMOD_TEST_LIBS) -o $@
$B/kmod/fuzz: tests/kmod/fuzz_calls.c tests/kmod/fuzz_guests.c tests/kmod/fuzz.h
$B/kmod/test_examples: KMOD_TEST_LIBS := -lpng

# -------------------------------------------------------------------- examples
# examples/NAME.c and NAME_guest.S, what runs in its VM, make $B/examples/NAME
EXAMPLES := $(patsubst examples/%_guest.S,$B/examples/%,$(wildcard examples/*_guest.S))

$B/examples/%: examples/%.c examples/%_guest.S examples/vm.c $(wildcard examples/*.h) kmod/classic.h | $B/examples
	$(CC) -std=gnu11 $(WARN) $(CFLAGS) $(CPPFLAGS) $(filter %.c %.S,$^) -Wl,-z,noexecstack $(EXAMPLE_LIBS) -o $@
$B/examples/framebuffer: EXAMPLE_LIBS := -lpng

examples: $(EXAMPLES)

tests: kvmrun $(EXAMPLES) $(TESTS) $(GUESTS) $B/tests/elf_variants $B/tests/kvmrun-taken $(KMOD_TESTS) $(FUZZERS) $(QUICK_CHECKED)

deps:
	tests/deps

programs: deps
	tests/programs/build

# what tests need of others' programs and sources, each kept below build/
FETCHED := tests/programs/build tests/selftests/build tests/real/tree tests/real/build tests/real/quick-build
fetched: $(FETCHED:%=fetched/%)
$(FETCHED:%=fetched/%): fetched/%:
	$*

check check-lab check-vmx: deps
	tests/deps static public
	$(MAKE) -j$$(nproc) tests kmod
	$(MAKE) -j$$(nproc) fetched
	tests/suite $(SUITE)
check-lab: SUITE := lab kmod lab-6.12 qemu
check-vmx: SUITE := vmx-all

# the runner's parts with AddressSanitizer and UndefinedBehaviorSanitizer, and under valgrind; check has a part of both
check-asan: deps
	$(MAKE) -j$$(nproc) $(ASAN_TESTS) $B/tests/elf_variants $B/guest/hello $B/guest/trace_probe
	tests/run $(ASAN_TESTS)

check-valgrind: deps
	$(MAKE) -j$$(nproc) $(VALGRIND_TESTS) $B/tests/elf_variants $B/guest/hello $B/guest/trace_probe
	KVMRUN_TEST_LIMIT=3600 KVMRUN_TEST_UNDER=tests/valgrind/run tests/run $(VALGRIND_TESTS)

REAL_SUITES := $(filter go/% python/%,$(REAL))
REAL_PUBLIC := $(filter-out go/% python/%,$(REAL))

# Debian's programs and others' tests, compared with what they do natively; a part of it is in check
check-real: deps
	tests/deps public
	$(MAKE) kvmrun kmod
	tests/real/tree
	tests/real/public-build
	tests/deps static
ifndef REAL
	tests/lab/lab --module ours --timeout 7200 --env KVMRUN_TEST_SLOW=15 \
		--env KVMRUN_REAL_ALL=1 -- tests/run tests/real/dynamic
	tests/real/tree more
	tests/real/tree node
	tests/lab/lab --module ours --mem 4G --env KVMRUN_REAL_SET=node -- tests/run tests/real/dynamic
	tests/lab/lab --module ours --mem 6G --timeout 7200 --env KVMRUN_REAL_SET=more --env KVMRUN_TEST_LIMIT=3600 -- tests/run tests/real/dynamic
	tests/lab/lab --module ours --timeout 36000 -- tests/real/public
	tests/real/suites
else
	$(if $(REAL_PUBLIC),tests/lab/lab --module ours --timeout 36000 -- tests/real/public $(REAL_PUBLIC:%='%'))
	$(if $(REAL_SUITES),tests/real/suites $(REAL_SUITES:%='%'))
endif

# static ones in Go, Rust and C++, compared with their native runs; Debian's golang-go and rustc
check-static: deps
	tests/deps static
	$(MAKE) kvmrun kmod
	tests/real/build
	tests/suite static

check-hw:
	tests/check-hw

# the kernel's own tests of KVM, on the module and on stock, against docs/conformance.md
selftests: deps
	$(MAKE) kmod
	tests/selftests/build
	tests/selftests/compare

# the module on a kernel that looks for errors; not part of check
check-debug: deps
	tests/deps debug
	$(MAKE) $(KMOD_TESTS)
	tests/kmod/check-debug

demo: deps
	$(MAKE) kvmrun $(GUESTS)
	examples/demo

bench: deps
	tests/deps bench
	$(MAKE) kvmrun
	tests/bench/run
	$(MAKE) bench-limits

# how late limits are
$B/bench/late_timer.so: tests/bench/late_timer.c
	mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -fPIC -shared $< -o $@
$B/bench/late $B/bench/work: $B/bench/%: tests/bench/%.c
	mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -static -pthread $< -o $@
bench-limits: deps kvmrun kmod $B/bench/late $B/bench/late_timer.so $B/bench/work
	tests/bench/limits

$B/bench/kmod: tests/bench/kmod.c tests/kmod/guest.c tests/kmod/guest.h
	mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(filter %.c,$^) -lcmocka -o $@
bench-kmod: deps
	$(MAKE) kmod $B/bench/kmod
	tests/bench/run-kmod

# --------------------------------------------------------------- documentation
docs/calls.md: docs/gen-calls.c $B/libkvmrun.a | $B/tests
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $< $B/libkvmrun.a -o $B/tests/gen-calls
	$B/tests/gen-calls > $@
$B/kvmrun.1: docs/kvmrun.1.in kvmrun
	./kvmrun --print-manual | sed -e '/^@OPTIONS@$$/{r /dev/stdin' -e 'd' -e '}' \
		-e 's/@VERSION@/$(VERSION)/' -e "s/@DATE@/$$(date -u -r docs/kvmrun.1.in +%Y-%m-%d)/" docs/kvmrun.1.in > $@
man: $B/kvmrun.1

# ------------------------------------------------------------------------ install
DKMS ?= $(if $(shell command -v dkms),yes,no)
MODULE_SOURCES := $(filter-out %.mod.c,$(wildcard kmod/*.[chS])) kmod/Kbuild
MODULE_DIR := $(DESTDIR)/usr/src/kvmrun-$(VERSION)
UDEV_RULE := $(DESTDIR)/lib/udev/rules.d/60-kvmrun.rules
# where the plain module goes: kernels that are installed, or any into a DESTDIR
INSTALL_RELEASES := $(foreach r,$(RELEASES),$(if $(DESTDIR)$(wildcard /lib/modules/$r),$r))

install: kvmrun man install-module-$(DKMS)
	install -D -m 755 kvmrun $(DESTDIR)$(PREFIX)/bin/kvmrun
	install -D -m 644 $B/kvmrun.1 $(DESTDIR)$(PREFIX)/share/man/man1/kvmrun.1
	install -D -m 644 runner/completion/kvmrun $(DESTDIR)$(PREFIX)/share/bash-completion/completions/kvmrun
	install -D -m 644 kmod/kvmrun.rules $(UDEV_RULE)

install-module-yes:
	install -d $(MODULE_DIR)
	install -m 644 $(MODULE_SOURCES) $(MODULE_DIR)
	sed 's/@VERSION@/$(VERSION)/' kmod/dkms.conf > $(MODULE_DIR)/dkms.conf
ifeq ($(DESTDIR),)
	dkms install --force kvmrun/$(VERSION)
endif

install-module-no: $(INSTALL_RELEASES:%=install-module-for-%)
	$(if $^,,echo "the module is not installed: no kernel here has its headers here")
install-module-for-%: kmod-for-%
	install -d $(DESTDIR)/lib/modules/$*/updates
	objcopy --strip-debug $B/kmod/$*/kvmrun.ko $(DESTDIR)/lib/modules/$*/updates/kvmrun.ko
	$(if $(DESTDIR),,depmod $*)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kvmrun $(DESTDIR)$(PREFIX)/share/man/man1/kvmrun.1 $(UDEV_RULE) \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/kvmrun
ifeq ($(DESTDIR),)
	! command -v dkms > /dev/null || ! dkms status kvmrun/$(VERSION) | grep -q . || \
		dkms remove kvmrun/$(VERSION) --all
endif
	rm -rf $(MODULE_DIR)
	for dir in $(DESTDIR)/lib/modules/*/updates; do \
		[ ! -e $$dir/kvmrun.ko ] || { rm $$dir/kvmrun.ko; rmdir --ignore-fail-on-non-empty $$dir; \
		$(if $(DESTDIR),:,depmod $$(basename $${dir%/updates})); }; \
	done

clean:
	rm -rf $B/shim $B/runner $B/tests $B/threads $B/guest $B/kmod $B/examples $B/asan $B/fuzz $B/valgrind $B/libkvmrun.a $B/kvmrun.1 kvmrun

.PHONY: all kmod examples tests deps programs fetched $(FETCHED:%=fetched/%) check check-lab check-vmx check-real check-static check-asan check-valgrind check-hw check-debug demo bench bench-kmod bench-limits selftests man install uninstall clean
-include $(wildcard $B/*/*.d)
