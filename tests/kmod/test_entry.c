/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_entry.c - a guest's state that the processor does not enter it with
 *
 * On VT-x: AMD-V's VMRUN takes what of this a segment register can be made to hold.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define INVALID_GUEST_STATE	(1ull << 31 | 33)	/* SDM 3, appendix C */
#define DUMP	"/sys/module/kvmrun/parameters/dump_vmcs"

static void need_vmx(void)
{
	char line[4096];
	bool there = false;
	FILE *f = fopen("/proc/cpuinfo", "r");

	assert_non_null(f);
	while (!there && fgets(line, sizeof(line), f))
		there = !strncmp(line, "flags", 5) && strstr(line, " vmx ");
	fclose(f);
	if (!there) {
		print_message("this is not VT-x\n");
		skip();
	}
}

/* CS's descriptor is one of data. */
static void spoil(struct guest *g, bool spoilt)
{
	struct kvm_sregs s;

	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	s.cs.type = spoilt ? 1 : 11;
	assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
}

static void threat_35_a_failed_entry_is_told_and_can_be_mended(void **state)
{
	struct guest g;

	need_vmx();
	/* inc %eax; hlt */
	guest_start(&g, PROTECTED, CODE("\x40\xf4"));
	spoil(&g, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(guest_run(&g), KVM_EXIT_FAIL_ENTRY);
		assert_int_equal(g.run->fail_entry.hardware_entry_failure_reason, INVALID_GUEST_STATE);
		assert_int_equal(guest_regs(&g).rip, GUEST_CODE);
	}
	spoil(&g, false);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 1);
	guest_end(&g);
	(void)state;
}

/* Of the kernel's messages from now on those that have the words; with log -1 it begins. */
static int messages(int *log, const char *words)
{
	char record[8192];
	ssize_t n;
	int found = 0;

	if (*log < 0) {
		*log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
		assert_true(*log >= 0);
		lseek(*log, 0, SEEK_END);
	}
	while ((n = read(*log, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		found += !!strstr(record, words);
	}
	return found;
}

static void the_vmcs_is_logged_once_where_that_is_asked_for(void **state)
{
	struct guest g;
	int log = -1;

	need_vmx();
	guest_start(&g, PROTECTED, CODE("\xf4"));
	if (access(DUMP, W_OK)) {
		print_message("not kvmrun.ko, or not root\n");
		guest_end(&g);
		skip();
	}
	spoil(&g, true);
	messages(&log, "");
	assert_int_equal(guest_run(&g), KVM_EXIT_FAIL_ENTRY);
	assert_int_equal(messages(&log, "kvmrun"), 0);
	assert_true(put_text(DUMP, "Y"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(guest_run(&g), KVM_EXIT_FAIL_ENTRY);
	assert_true(put_text(DUMP, "N"));
	assert_int_equal(messages(&log, "kvmrun: vCPU 0: no entry: exit reason 0x80000021"), 1);
	close(log);
	guest_end(&g);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_35_a_failed_entry_is_told_and_can_be_mended),
		cmocka_unit_test(the_vmcs_is_logged_once_where_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
