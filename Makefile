# SPDX-License-Identifier: GPL-2.0-only
#
# make		./kvmrun (and, where kernel headers are, the module)
# make demo	set up, build, and run real programs in virtual machines
# make check	set up, build, and run every test
# make bench	measure, into docs/bench.md
# make install	DESTDIR and PREFIX as usual

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

all: kvmrun

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

kvmrun: $(RUNNER_OBJS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

$B/shim $B/runner:
	mkdir -p $@

clean:
	rm -rf $B/shim $B/runner $B/tests kvmrun

.PHONY: all clean
-include $(wildcard $B/*/*.d)
