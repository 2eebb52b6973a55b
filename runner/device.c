/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "msg.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	enum device_module bit;
	const char *name;
} modules[] = {
	{ MODULE_KVM_INTEL, "kvm_intel" },
	{ MODULE_KVM_AMD, "kvm_amd" },
	{ MODULE_KVMRUN, "kvmrun" },
	{ MODULE_VBOX, "vboxdrv" },
	{ MODULE_VMWARE, "vmmon" },
};

/* By enum cpu_virt: the words for it. */
static const struct {
	const char *name, *flag, *module;
} virt_words[] = {
	[CPU_VIRT_NONE] = { "VT-x or AMD-V", "vmx or svm", "" },
	[CPU_VIRT_VMX] = { "VT-x", "vmx", "kvm_intel" },
	[CPU_VIRT_SVM] = { "AMD-V (SVM)", "svm", "kvm_amd" },
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void gather_modules(struct device_facts *facts)
{
	char line[512], path[64];
	FILE *f = fopen("/proc/modules", "re");

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, " \n")] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
			if (strcmp(line, modules[i].name) == 0)
				facts->loaded |= modules[i].bit;
	}
	if (f)
		fclose(f);
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", modules[i].name);
		if (!(facts->loaded & modules[i].bit) && access(path, F_OK) == 0)
			facts->builtin |= modules[i].bit;
	}
}

/*
 * CPUID keeps saying VMX or SVM when the firmware has locked them off, while
 * the kernel then drops the flag from /proc/cpuinfo (SDM vol. 3, 24.7; APM
 * vol. 2, 15.4).
 */
static void gather_cpu(struct device_facts *facts)
{
	unsigned int a, b, c, d;
	char line[8192];
	FILE *f;

	if (__get_cpuid(1, &a, &b, &c, &d)) {
		facts->in_vm = c & 1U << 31;
		if (c & 1U << 5)
			facts->cpu = CPU_VIRT_VMX;
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & 1U << 2))
		facts->cpu = CPU_VIRT_SVM;
	f = fopen("/proc/cpuinfo", "re");
	while (f && facts->cpu != CPU_VIRT_NONE && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		for (char *word = strtok(line, " \t\n"); word; word = strtok(NULL, " \t\n"))
			if (strcmp(word, virt_words[facts->cpu].flag) == 0)
				facts->cpu_flag = true;
		break;
	}
	if (f)
		fclose(f);
}

static void gather_node(const char *path, struct device_facts *facts)
{
	struct passwd *pw;
	struct group *gr;
	struct stat st;
	gid_t gids[256];
	int n = ARRAY_SIZE(gids);

	/* getpwuid() and getgrgid() return static storage: copy before the next */
	pw = getpwuid(geteuid());
	snprintf(facts->user, sizeof(facts->user), "%s", pw ? pw->pw_name : "$USER");
	if (stat(path, &st) < 0)
		return;
	facts->node = true;
	facts->mode = st.st_mode;
	facts->allowed = faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0;
	if (pw && getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) >= 0)
		for (int i = 0; i < n; i++)
			facts->member |= gids[i] == st.st_gid;
	pw = getpwuid(st.st_uid);
	if (pw)
		snprintf(facts->owner, sizeof(facts->owner), "%s", pw->pw_name);
	else
		snprintf(facts->owner, sizeof(facts->owner), "%u", st.st_uid);
	gr = getgrgid(st.st_gid);
	if (gr)
		snprintf(facts->group, sizeof(facts->group), "%s", gr->gr_name);
	else
		snprintf(facts->group, sizeof(facts->group), "%u", st.st_gid);
}

void device_facts_gather(const char *path, struct device_facts *facts)
{
	char sys[300];

	memset(facts, 0, sizeof(*facts));
	gather_modules(facts);
	gather_cpu(facts);
	gather_node(path, facts);
	snprintf(sys, sizeof(sys), "/sys/class/misc/%s", base_name(path));
	facts->registered = access(sys, F_OK) == 0;
}

static void absent(char *line, size_t size, const char *path, const struct device_facts *facts)
{
	const char *cpu = virt_words[facts->cpu].name, *module = virt_words[facts->cpu].module;
	bool bundled = strcmp(path, DEVICE_BUNDLED) == 0;
	unsigned int stock = MODULE_KVM_INTEL | MODULE_KVM_AMD;

	if (!bundled && strcmp(path, DEVICE_STOCK) != 0)
		snprintf(line, size, "%s: no such device; name a KVM device, or leave --device out "
			 "to use " DEVICE_BUNDLED " or " DEVICE_STOCK, path);
	else if (facts->registered)
		snprintf(line, size, "%s: the kernel has the device, but there is no node for it "
			 "here; in a container, pass it in (docker run --device %s)", path, path);
	else if (bundled && facts->cpu_flag)
		snprintf(line, size, "%s: absent: the bundled module is not loaded; sudo modprobe "
			 "kvmrun (or use --device " DEVICE_STOCK ")", path);
	else if ((facts->loaded | facts->builtin) & stock ||
		 (facts->cpu != CPU_VIRT_NONE && !facts->cpu_flag))
		snprintf(line, size, "%s: absent: %s is switched off in the %s; switch it on %s", path,
			 cpu, facts->in_vm ? "settings of this VM" : "firmware",
			 facts->in_vm ? "(nested virtualization) on its host, and restart it" :
					"in the BIOS/UEFI setup (CPU, virtualization), and reboot");
	else if (facts->cpu != CPU_VIRT_NONE)
		snprintf(line, size, "%s: absent: this CPU has %s, but no module drives it; sudo "
			 "modprobe %s or the bundled kvmrun (if that says \"Operation not supported\", the firmware "
			 "switches it off)", path, cpu, module);
	else if (facts->in_vm)
		snprintf(line, size, "%s: absent: this machine is a VM without %s; switch on nested "
			 "virtualization on its host, or try kvmrun in the lab (tests/lab/lab)",
			 path, cpu);
	else
		snprintf(line, size, "%s: absent: this CPU has no %s (no %s in /proc/cpuinfo); use "
			 "another machine, or try kvmrun in the lab (tests/lab/lab)", path, cpu,
			 virt_words[facts->cpu].flag);
}

static void forbidden(char *line, size_t size, const char *path, const struct device_facts *facts)
{
	const char *user = facts->user, *group = facts->group;
	char what[160];

	if (!facts->node) {
		snprintf(line, size, "%s: permission denied to %s: a directory on its path may not "
			 "be searched", path, user);
		return;
	}
	if (facts->allowed) {
		snprintf(line, size, "%s: permission denied, though its mode lets %s in: it is on a "
			 "file system mounted nodev, or a security module refuses; use the node in /dev",
			 path, user);
		return;
	}
	snprintf(what, sizeof(what), "permission denied to %s: it is %s:%s, mode %04o", user,
		 facts->owner, group, facts->mode & 07777);
	if ((facts->mode & 0060) != 0060 || strcmp(group, "root") == 0)
		snprintf(line, size, "%s: %s; let a group have it: sudo chgrp kvm %s && sudo chmod 660 "
			 "%s && sudo usermod -aG kvm %s, and log in again", path, what, path, path,
			 user);
	else if (facts->member)
		snprintf(line, size, "%s: %s; %s is a member of %s, but not yet in this session: log "
			 "in again, or newgrp %s", path, what, user, group, group);
	else
		snprintf(line, size, "%s: %s; sudo usermod -aG %s %s, and log in again", path, what,
			 group, user);
}

static void busy(char *line, size_t size, const char *path, const struct device_facts *facts)
{
	unsigned int stock = facts->loaded & (MODULE_KVM_INTEL | MODULE_KVM_AMD);

	if (facts->loaded & MODULE_VBOX)
		snprintf(line, size, "%s: busy: VirtualBox (vboxdrv) has the CPU's virtualization; "
			 "stop its VMs, or sudo modprobe -r vboxnetadp vboxnetflt vboxdrv", path);
	else if (facts->loaded & MODULE_VMWARE)
		snprintf(line, size, "%s: busy: VMware (vmmon) has the CPU's virtualization; stop its "
			 "VMs, or sudo /etc/init.d/vmware stop", path);
	else if (strcmp(path, DEVICE_BUNDLED) == 0 && stock)
		snprintf(line, size, "%s: busy: the kernel's own KVM has the CPU's virtualization; use "
			 "--device " DEVICE_STOCK ", or sudo modprobe -r %s", path,
			 stock & MODULE_KVM_AMD ? "kvm_amd" : "kvm_intel");
	else if (strcmp(path, DEVICE_BUNDLED) != 0 && facts->loaded & MODULE_KVMRUN)
		snprintf(line, size, "%s: busy: the bundled module has the CPU's virtualization; use "
			 "--device " DEVICE_BUNDLED ", or sudo modprobe -r kvmrun", path);
	else
		snprintf(line, size, "%s: busy: another hypervisor has the CPU's virtualization; stop "
			 "it (lsmod shows its module)", path);
}

void device_trouble(char *line, size_t size, const char *path, enum device_step step, int error,
		    const struct device_facts *facts)
{
	if (step == STEP_VERSION && error == 0)
		snprintf(line, size, "%s: it speaks another version of the KVM API than 12; load a "
			 "current KVM module", path);
	else if (step == STEP_VERSION || error == ENOTTY || error == EISDIR)
		snprintf(line, size, "%s: not a KVM device; name one, or leave --device out to use "
			 DEVICE_BUNDLED " or " DEVICE_STOCK, path);
	else if (error == EBUSY)
		busy(line, size, path, facts);
	else if (error == EOPNOTSUPP || error == EIO ||
		 (step == STEP_VM && (error == ENODEV || error == ENXIO)))
		snprintf(line, size, "%s: %s is switched off in the CPU or firmware; switch it on in the "
			 "BIOS/UEFI setup (CPU, virtualization), and reboot", path,
			 virt_words[facts->cpu].name);
	else if (error == ENOENT || error == ENOTDIR || error == ENODEV || error == ENXIO)
		absent(line, size, path, facts);
	else if (error == EACCES)
		forbidden(line, size, path, facts);
	else if (error == EPERM)
		snprintf(line, size, "%s: not permitted; in a container, pass the device in (docker run "
			 "--device %s)", path, path);
	else
		snprintf(line, size, "%s: cannot %s: %s", path,
			 step == STEP_VM ? "create a VM" : "open it", strerror(error));
}

int device_try(const char *path, enum device_step *step)
{
	int fd, version;

	*step = STEP_OPEN;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	*step = STEP_VERSION;
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return fd;
	if (version >= 0)
		errno = 0;
	version = errno;
	close(fd);
	errno = version;
	return -1;
}

_Noreturn static void die_of(const char *path, enum device_step step, int error)
{
	struct device_facts facts;
	char line[1024];

	device_facts_gather(path, &facts);
	device_trouble(line, sizeof(line), path, step, error, &facts);
	die(KVMRUN_FAILED, "%s", line);
}

int device_open(const char *wanted, const char **path)
{
	enum device_step step, bundled_step;
	int fd, error;

	*path = wanted ? wanted : DEVICE_BUNDLED;
	fd = device_try(*path, &bundled_step);
	if (fd >= 0)
		return fd;
	error = errno;
	if (wanted)
		die_of(wanted, bundled_step, error);
	*path = DEVICE_STOCK;
	fd = device_try(*path, &step);
	if (fd >= 0) {
		/* someone who loaded the bundled module wants to know why it is not used */
		if (error != ENOENT)
			vmsg("%s cannot be used (%s): using %s", DEVICE_BUNDLED, strerror(error),
			     DEVICE_STOCK);
		return fd;
	}
	/* the trouble of the device that is there is the one to tell */
	if (error != ENOENT)
		die_of(DEVICE_BUNDLED, bundled_step, error);
	die_of(DEVICE_STOCK, step, errno);
}

int device_create_vm(int device, const char *path)
{
	int vm;

	/* a signal makes the kernel's registration of the VM fail with EINTR */
	do
		vm = ioctl(device, KVM_CREATE_VM, 0);
	while (vm < 0 && errno == EINTR);
	if (vm < 0)
		die_of(path, STEP_VM, errno);
	return vm;
}
