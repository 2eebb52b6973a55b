/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

#include "forked.h"
#include "../runner/check.h"
#include "../runner/device.h"
#include "../runner/msg.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define VMX .cpu = CPU_VIRT_VMX, .cpu_flag = true
#define SVM .cpu = CPU_VIRT_SVM, .cpu_flag = true
#define NODE(own, grp, bits) .node = true, .owner = own, .group = grp, .user = "ann", \
	.mode = S_IFCHR | (bits)

static void each_trouble_is_named_with_what_to_do(void **state)
{
	static const struct {
		const char *path;
		enum device_step step;
		int error;
		struct device_facts facts;
		const char *what, *todo;
	} cases[] = {
		/* absent */
		{ "/dev/kvm", STEP_OPEN, ENOENT, { VMX }, "absent", "sudo modprobe kvm_intel" },
		{ "/dev/kvm", STEP_OPEN, ENOENT, { SVM }, "absent", "sudo modprobe kvm_amd" },
		{ "/dev/kvm", STEP_OPEN, ENODEV, { SVM }, "absent", "sudo modprobe kvm_amd" },
		{ "/dev/kvm", STEP_OPEN, ENXIO, { SVM }, "absent", "sudo modprobe kvm_amd" },
		{ "/dev/kvm", STEP_OPEN, ENOENT, { .in_vm = false }, "this CPU has no VT-x or AMD-V",
		  "lab (tests/lab/lab)" },
		{ "/dev/kvm", STEP_OPEN, ENOENT, { .in_vm = true }, "a VM without VT-x or AMD-V",
		  "nested virtualization on its host" },
		{ "/dev/kvm", STEP_OPEN, ENOENT, { VMX, .registered = true }, "no node for it here",
		  "docker run --device /dev/kvm" },
		{ "/dev/kvmrun", STEP_OPEN, ENOENT, { SVM }, "the bundled module is not loaded",
		  "sudo modprobe kvmrun" },
		{ "/dev/kvmrun", STEP_OPEN, ENOENT, { .in_vm = true }, "a VM without", "nested" },
		{ "/x/y", STEP_OPEN, ENOENT, { VMX }, "no such device", "leave --device out" },
		/* off in the CPU or firmware */
		{ "/dev/kvm", STEP_OPEN, ENOENT, { .cpu = CPU_VIRT_VMX },
		  "VT-x is switched off in the firmware", "BIOS/UEFI setup" },
		{ "/dev/kvm", STEP_OPEN, ENOENT, { SVM, .builtin = MODULE_KVM_AMD },
		  "AMD-V (SVM) is switched off in the firmware", "BIOS/UEFI setup" },
		{ "/dev/kvm", STEP_OPEN, ENOENT, { .cpu = CPU_VIRT_VMX, .in_vm = true },
		  "VT-x is switched off in the settings of this VM", "on its host" },
		{ "/dev/kvm", STEP_VM, EOPNOTSUPP, { VMX }, "VT-x is switched off", "BIOS/UEFI" },
		{ "/dev/kvm", STEP_VM, ENODEV, { SVM }, "AMD-V (SVM) is switched off", "BIOS/UEFI" },
		{ "/dev/kvm", STEP_VM, EIO, { SVM }, "AMD-V (SVM) is switched off", "BIOS/UEFI" },
		/* no permission */
		{ "/dev/kvm", STEP_OPEN, EACCES, { NODE("root", "kvm", 0660) },
		  "permission denied to ann: it is root:kvm, mode 0660", "sudo usermod -aG kvm ann" },
		{ "/dev/kvm", STEP_OPEN, EACCES, { NODE("root", "kvm", 0660), .member = true },
		  "not yet in this session", "newgrp kvm" },
		{ "/dev/kvm", STEP_OPEN, EACCES, { NODE("root", "root", 0660) },
		  "it is root:root, mode 0660", "sudo chgrp kvm /dev/kvm" },
		{ "/dev/kvm", STEP_OPEN, EACCES, { NODE("root", "kvm", 0600) },
		  "it is root:kvm, mode 0600", "sudo chmod 660 /dev/kvm" },
		{ "/x/kvm", STEP_OPEN, EACCES, { NODE("ann", "ann", 0600), .allowed = true },
		  "permission denied, though its mode lets ann in", "mounted nodev" },
		{ "/x/kvm", STEP_OPEN, EACCES, { .user = "ann" }, "permission denied to ann",
		  "directory on its path" },
		{ "/dev/kvm", STEP_OPEN, EPERM, { NODE("root", "kvm", 0660) }, "not permitted",
		  "docker run --device /dev/kvm" },
		/* another hypervisor */
		{ "/dev/kvm", STEP_VM, EBUSY, { VMX, .loaded = MODULE_VBOX | MODULE_KVM_INTEL },
		  "busy: VirtualBox", "modprobe -r vboxnetadp" },
		{ "/dev/kvm", STEP_VM, EBUSY, { VMX, .loaded = MODULE_VMWARE }, "busy: VMware",
		  "stop its VMs" },
		{ "/dev/kvmrun", STEP_OPEN, EBUSY, { SVM, .loaded = MODULE_KVM_AMD },
		  "busy: the kernel's own KVM", "sudo modprobe -r kvm_amd" },
		{ "/dev/kvmrun", STEP_VM, EBUSY, { VMX, .loaded = MODULE_KVM_INTEL },
		  "use --device /dev/kvm,", "sudo modprobe -r kvm_intel" },
		{ "/dev/kvm", STEP_VM, EBUSY, { SVM, .loaded = MODULE_KVMRUN | MODULE_KVM_AMD },
		  "busy: the bundled module", "sudo modprobe -r kvmrun" },
		{ "/dev/kvm", STEP_OPEN, EBUSY, { VMX }, "busy: another hypervisor", "lsmod" },
		/* something else */
		{ "/dev/null", STEP_VERSION, ENOTTY, { VMX }, "not a KVM device", "leave --device out" },
		{ "/tmp", STEP_OPEN, EISDIR, { VMX }, "not a KVM device", "leave --device out" },
		{ "/dev/kvm", STEP_VERSION, 0, { VMX }, "another version of the KVM API than 12",
		  "load a current KVM module" },
		{ "/dev/kvm", STEP_VM, ENOMEM, { VMX }, "cannot create a VM", "Cannot allocate memory" },
		{ "/dev/kvm", STEP_OPEN, EMFILE, { VMX }, "cannot open it", "Too many open files" },
	};
	char line[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		device_trouble(line, sizeof(line), cases[i].path, cases[i].step, cases[i].error,
			       &cases[i].facts);
		if (!strstr(line, cases[i].what) || !strstr(line, cases[i].todo))
			fail_msg("case %zu: \"%s\" lacks \"%s\" or \"%s\"", i, line, cases[i].what,
				 cases[i].todo);
		assert_int_equal(strncmp(line, cases[i].path, strlen(cases[i].path)), 0);
		assert_null(strchr(line, '\n'));
	}
}

static void a_trouble_fits_its_line_however_long_the_names(void **state)
{
	struct device_facts facts = { NODE("root", "kvm", 0660) };
	char path[2000], line[64];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (int error = 0; error < 134; error++) {
		memset(line, '#', sizeof(line));
		device_trouble(line, sizeof(line) - 1, path, STEP_OPEN, error, &facts);
		assert_int_equal(strlen(line), sizeof(line) - 2);
		assert_int_equal(line[sizeof(line) - 1], '#');
	}
}

static void open_in_child(void *path)
{
	const char *opened;

	device_open(path, &opened);
}

static void a_path_that_is_no_device_is_refused(void **state)
{
	static struct outcome o;

	(void)state;
	forked(open_in_child, "/nonexistent", &o);
	assert_complains(&o, KVMRUN_FAILED, "/nonexistent: no such device");
	forked(open_in_child, "/dev/null/kvm", &o);
	assert_complains(&o, KVMRUN_FAILED, "/dev/null/kvm: no such device");
	forked(open_in_child, "/dev/null", &o);
	assert_complains(&o, KVMRUN_FAILED, "/dev/null: not a KVM device");
	forked(open_in_child, "/tmp", &o);
	assert_complains(&o, KVMRUN_FAILED, "/tmp: not a KVM device");
	forked(open_in_child, "/x\x1b[2J", &o);
	assert_complains(&o, KVMRUN_FAILED, "/x\\x1b[2J: no such device");
}

/* As root, become nobody first: permissions say nothing to root. */
static void open_as_nobody(void *path)
{
	if (geteuid() == 0 && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
		_exit(1);
	open_in_child(path);
}

static void a_device_without_permission_is_told_with_owner_and_mode(void **state)
{
	char path[] = "/tmp/kvmrun-test-XXXXXX";
	static struct outcome o;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0), 0);
	forked(open_as_nobody, path, &o);
	unlink(path);
	close(fd);
	assert_complains(&o, KVMRUN_FAILED, "permission denied to ");
	assert_complains(&o, KVMRUN_FAILED, "mode 0000; let a group have it: sudo chgrp kvm");
}

static void vm_in_child(void *arg)
{
	(void)arg;
	device_create_vm(open("/dev/null", O_RDWR), "/dev/null");
}

static void a_vm_of_no_device_is_refused(void **state)
{
	static struct outcome o;

	(void)state;
	forked(vm_in_child, NULL, &o);
	assert_complains(&o, KVMRUN_FAILED, "/dev/null: not a KVM device");
}

static void use_in_child(void *arg)
{
	const char *path;
	int device = device_open(NULL, &path), vm = device_create_vm(device, path);

	(void)arg;
	if (fcntl(device, F_GETFD) != FD_CLOEXEC || fcntl(vm, F_GETFD) != FD_CLOEXEC)
		_exit(1);
	printf("%s", path);
}

static bool usable(const char *path)
{
	return access(path, R_OK | W_OK) == 0;
}

static void the_bundled_device_is_preferred_and_descriptors_are_cloexec(void **state)
{
	static struct outcome o;

	(void)state;
	if (!usable(DEVICE_BUNDLED) && !usable(DEVICE_STOCK)) {
		print_message("no hypervisor can be used here\n");
		skip();
	}
	forked(use_in_child, NULL, &o);
	assert_string_equal(o.err, "");
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, usable(DEVICE_BUNDLED) ? DEVICE_BUNDLED : DEVICE_STOCK);
}

static void check_in_child(void *device)
{
	exit(check_machine(device));
}

static void check_reports_line_by_line_and_tells_by_its_status(void **state)
{
	static const char *const always[] = {
		"kvmrun: ", "kernel: ", "CPU: ", "CPU virtualization: ", "huge pages: ", "seccomp: ",
		"openat2: ", "Landlock: ", "device to use: ", "result: ",
	};
	static struct outcome o;

	(void)state;
	forked(check_in_child, "/dev/null\x1b", &o);
	assert_int_equal(o.status, KVMRUN_FAILED);
	assert_string_equal(o.err, "");
	assert_non_null(strstr(o.out, "\n/dev/null\\x1b: "));
	assert_null(strchr(o.out, '\x1b'));
	assert_non_null(strstr(o.out, "kvmrun cannot run here\n"));
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		assert_non_null(strstr(o.out, always[i]));
}

static void check_succeeds_where_a_device_works(void **state)
{
	static struct outcome o;

	(void)state;
	if (!usable(DEVICE_BUNDLED) && !usable(DEVICE_STOCK)) {
		print_message("no hypervisor can be used here\n");
		skip();
	}
	forked(check_in_child, NULL, &o);
	assert_non_null(strstr(o.out, "KVM_CAP_IMMEDIATE_EXIT:   1\n"));
	assert_non_null(strstr(o.out, "kvmrun can run here\n"));
	assert_int_equal(o.status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_trouble_is_named_with_what_to_do),
		cmocka_unit_test(a_trouble_fits_its_line_however_long_the_names),
		cmocka_unit_test(a_path_that_is_no_device_is_refused),
		cmocka_unit_test(a_device_without_permission_is_told_with_owner_and_mode),
		cmocka_unit_test(a_vm_of_no_device_is_refused),
		cmocka_unit_test(the_bundled_device_is_preferred_and_descriptors_are_cloexec),
		cmocka_unit_test(check_reports_line_by_line_and_tells_by_its_status),
		cmocka_unit_test(check_succeeds_where_a_device_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
