/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"
#include "device.h"
#include "help.h"
#include "landlock.h"
#include "msg.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void report(const char *what, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void report(const char *what, const char *fmt, ...)
{
	char state[1024], text[1200], line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(state, sizeof(state), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s:%*s%s", what, (int)strlen(what) < 25 ?
		 25 - (int)strlen(what) : 1, "", state);
	/* names come from files and the command line */
	msg_quote(line, sizeof(line), text, strlen(text));
	puts(line);
}

/* First line of a file that starts with key, what follows ": ", or "unknown". */
static void read_line(const char *path, const char *key, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool found = false;

	while (f && !found && fgets(line, size, f))
		found = strncmp(line, key, strlen(key)) == 0;
	if (f)
		fclose(f);
	if (!found) {
		snprintf(line, size, "unknown (%s does not say)", path);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	if (*key) {
		const char *value = strstr(line, ": ");

		memmove(line, value ? value + 2 : "", value ? strlen(value + 2) + 1 : 1);
	}
}

static void check_host(void)
{
	static const char *const virt[] = {
		[CPU_VIRT_NONE] = "no VT-x or AMD-V", [CPU_VIRT_VMX] = "VT-x (vmx)",
		[CPU_VIRT_SVM] = "AMD-V (svm)",
	};
	struct device_facts facts;
	struct utsname uts;
	char line[512];

	report("kvmrun", "%s", kvmrun_version);
	uname(&uts);
	report("kernel", "%s %s %s", uts.sysname, uts.release, uts.machine);
	read_line("/proc/cpuinfo", "model name", line, sizeof(line));
	report("CPU", "%s", line);
	device_facts_gather(DEVICE_STOCK, &facts);
	report("CPU virtualization", "%s%s%s", virt[facts.cpu],
	       facts.cpu != CPU_VIRT_NONE && !facts.cpu_flag ? ", switched off by the firmware" : "",
	       facts.in_vm ? ", in a VM" : "");
	read_line("/sys/kernel/mm/transparent_hugepage/enabled", "", line, sizeof(line));
	report("huge pages", "%s%s", line,
	       strstr(line, "[never]") ? ": slower; echo madvise | sudo tee "
					 "/sys/kernel/mm/transparent_hugepage/enabled" : "");
}

/* Report on one device; returns it open, or -1. */
static int check_device(const char *path)
{
	struct device_facts facts;
	enum device_step step;
	char line[1024];
	int fd, error;

	fd = device_try(path, &step);
	if (fd >= 0) {
		report(path, "usable, KVM API %d", KVM_API_VERSION);
		return fd;
	}
	error = errno;
	device_facts_gather(path, &facts);
	device_trouble(line, sizeof(line), path, step, error, &facts);
	/* the line starts with the path that is already printed */
	report(path, "%s", line + strlen(path) + strlen(": "));
	return -1;
}

/* What the runner asks of KVM: a capability with a minimum is required. */
static const struct {
	int number;
	int minimum;
	const char *name;
} capabilities[] = {
#define CAP(name, minimum) { name, minimum, #name }
	CAP(KVM_CAP_USER_MEMORY, 1),		/* guest memory is the runner's */
	CAP(KVM_CAP_IMMEDIATE_EXIT, 1),		/* kicks that cannot be missed */
	CAP(KVM_CAP_NR_MEMSLOTS, 4),
	CAP(KVM_CAP_NR_VCPUS, 0),
	CAP(KVM_CAP_MAX_VCPUS, 1),
	CAP(KVM_CAP_SYNC_REGS, 0),
	CAP(KVM_CAP_READONLY_MEM, 0),
	CAP(KVM_CAP_XSAVE2, 0),
	CAP(KVM_CAP_TSC_CONTROL, 0),
	CAP(KVM_CAP_GET_TSC_KHZ, 0),
#undef CAP
};

/* Capabilities, a VM, and the way of a SYSCALL. Returns whether a VM can run. */
static bool check_vm(int device, const char *path)
{
	struct device_facts facts;
	char line[1024];
	bool good = true;
	int vm;

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		int value = ioctl(device, KVM_CHECK_EXTENSION, capabilities[i].number);
		bool enough = value >= capabilities[i].minimum;

		report(capabilities[i].name, "%d%s", value < 0 ? 0 : value,
		       enough ? "" : ": not enough; use a newer kernel");
		good &= enough;
	}
	do
		vm = ioctl(device, KVM_CREATE_VM, 0);
	while (vm < 0 && errno == EINTR);
	if (vm < 0) {
		int error = errno;

		device_facts_gather(path, &facts);
		device_trouble(line, sizeof(line), path, STEP_VM, error, &facts);
		report("a VM", "%s", line);
		return false;
	}
	close(vm);
	report("a VM", "can be created");
	good &= probe_syscall_entry(device, line, sizeof(line)) == 0;
	report("SYSCALL", "%s", line);
	return good;
}

/* What the runner jails itself with. */
static bool probe_landlock(char *state, size_t n)
{
	int abi = landlock_abi();
	const char *lack;
	size_t len;

	if (abi < 0) {
		snprintf(state, n, "%s; or --insecure-no-landlock", landlock_absence(abi));
		return false;
	}
	len = snprintf(state, n, "ABI %d", abi);
	for (size_t i = 0; len < n && (lack = landlock_lack(abi, i)); i++)
		len += snprintf(state + len, n - len, "%s%s", i ? "; " : ", without ", lack);
	return true;
}

static bool probe_seccomp(char *state, size_t n)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	bool good = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;

	snprintf(state, n, "%s", good ? "filters, with kill-process" :
		 "missing; use kernel 4.14 or later with CONFIG_SECCOMP_FILTER");
	return good;
}

static bool probe_openat2(char *state, size_t n)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_DIRECTORY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	if (fd >= 0)
		close(fd);
	snprintf(state, n, "%s", fd >= 0 ? "works" : errno == ENOSYS ?
		 "missing; use kernel 5.6 or later" :
		 "refused; in a container, use a newer runtime or its seccomp=unconfined");
	return fd >= 0;
}

static const struct {
	const char *what;
	bool (*probe)(char *state, size_t n);
} probes[] = {
	{ "seccomp", probe_seccomp },
	{ "openat2", probe_openat2 },
	{ "Landlock", probe_landlock },
};

int check_machine(const char *device)
{
	const char *usual[] = { DEVICE_BUNDLED, DEVICE_STOCK }, *used = NULL;
	const char **paths = device ? &device : usual;
	char state[512];
	bool good = false;
	int chosen = -1;

	check_host();
	for (size_t i = 0; i < (device ? 1 : ARRAY_SIZE(usual)); i++) {
		int fd = check_device(paths[i]);

		if (fd < 0)
			continue;
		if (chosen >= 0) {
			close(fd);
			continue;
		}
		chosen = fd;
		used = paths[i];
	}
	report("device to use", "%s", used ? used : "none");
	if (used) {
		good = check_vm(chosen, used);
		close(chosen);
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		good &= probes[i].probe(state, sizeof(state));
		report(probes[i].what, "%s", state);
	}
	report("result", "kvmrun %s run here", good ? "can" : "cannot");
	if (fflush(stdout) || ferror(stdout)) {
		msg("cannot write to standard output: %m");
		return KVMRUN_FAILED;
	}
	return good ? 0 : KVMRUN_FAILED;
}
