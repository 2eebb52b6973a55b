/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define KILL(name, nr, ...) { name, nr, { __VA_ARGS__ }, KILLS, 0 }

const struct attempt forbidden[] = {
	KILL("execve", SYS_execve, (long)"/bin/true"),
	KILL("execveat", SYS_execveat, AT_FDCWD, (long)"/bin/true"),
	KILL("fork", SYS_fork, 0),
	KILL("vfork", SYS_vfork, 0),
	KILL("clone", SYS_clone, SIGCHLD),
	KILL("a thread with a namespace of its own", SYS_clone, 0x3d0f00 | CLONE_NEWUSER),
	KILL("a thread with descriptors of its own", SYS_clone, 0x3d0f00 & ~CLONE_FILES),
	KILL("ptrace", SYS_ptrace, 0),
	KILL("process_vm_readv", SYS_process_vm_readv, 1),
	KILL("open", SYS_open, (long)"/etc/passwd"),
	KILL("openat", SYS_openat, AT_FDCWD, (long)"/etc/passwd"),
	KILL("open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD),
	KILL("creat", SYS_creat, (long)"/tmp/x", 0600),
	KILL("socket", SYS_socket, 1, 1),
	KILL("a pair of datagram sockets", SYS_socketpair, 1, 2),
	KILL("a pair of TCP sockets", SYS_socketpair, 2, 1),
	KILL("a socket of TCP", SYS_socket, 2, 1),
	KILL("a socket of netlink", SYS_socket, 16, 3),
	KILL("connect", SYS_connect, 0),
	KILL("bind", SYS_bind, 0),
	KILL("sendto", SYS_sendto, 0),
	KILL("a filter of a socket", SYS_setsockopt, 0, 1, 26),
	KILL("binding to a device", SYS_setsockopt, 0, 1, 25),
	KILL("memfd_create", SYS_memfd_create, (long)"x"),
	KILL("memfd_create of huge pages", SYS_memfd_create, (long)"x", 1 | 4),
	KILL("executable mmap", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
	KILL("executable mprotect", SYS_mprotect, 0x1000, 4096, PROT_EXEC),
	KILL("pkey_mprotect", SYS_pkey_mprotect, 0x1000, 4096, PROT_EXEC, -1),
	KILL("shmat", SYS_shmat, 0),
	KILL("kill of another process", SYS_kill, 1, 0),
	KILL("kill of another process to go on", SYS_kill, 1, SIGCONT),
	KILL("kill of every process", SYS_kill, -1, 0),
	KILL("tgkill of another process", SYS_tgkill, 1, 1, 0),
	KILL("kill of the process group", SYS_kill, 0, 0),
	KILL("rt_sigqueueinfo", SYS_rt_sigqueueinfo, 1, 0),
	KILL("pidfd_open of a thread", SYS_pidfd_open, 1, O_EXCL),
	KILL("pidfd_send_signal", SYS_pidfd_send_signal, 1),
	KILL("pidfd_getfd", SYS_pidfd_getfd, 1),
	KILL("setpriority", SYS_setpriority, 0, 0, 10),
	KILL("prctl", SYS_prctl, 4, 1),
	KILL("prctl for a life after the first process", SYS_prctl, PR_SET_PDEATHSIG, 0),
	KILL("prlimit64 of another process", SYS_prlimit64, 1, RLIMIT_CPU),
	KILL("prlimit64 of what jails the runner", SYS_prlimit64, 0, RLIMIT_CORE),
	KILL("setrlimit", SYS_setrlimit, RLIMIT_CORE),
	KILL("TIOCSTI", SYS_ioctl, 0, 0x5412, (long)"x"),
	KILL("TIOCLINUX", SYS_ioctl, 0, 0x541c, (long)"x"),
	KILL("TIOCSTI behind 32 bits", SYS_ioctl, 0, 0x100005412, (long)"x"),
	KILL("KVM_SET_MSRS", SYS_ioctl, 0, (long)KVM_SET_MSRS),
	KILL("KVM_CREATE_DEVICE", SYS_ioctl, 0, (long)KVM_CREATE_DEVICE),
	KILL("F_SETOWN", SYS_fcntl, 0, F_SETOWN, 1),
	KILL("F_SETSIG", SYS_fcntl, 0, F_SETSIG, 9),
	KILL("a signal to those whose the terminal is", SYS_fcntl, 0, F_SETFL, O_ASYNC),
	KILL("connecting by a message", SYS_sendmsg, 0, 0, MSG_FASTOPEN),
	KILL("mknod of a device", SYS_mknodat, AT_FDCWD, (long)"x", S_IFCHR | 0600, 0x101),
	KILL("mount", SYS_mount, 0),
	KILL("fsopen", SYS_fsopen, (long)"tmpfs"),
	KILL("unshare", SYS_unshare, 0),
	KILL("setns", SYS_setns, 0),
	KILL("chroot", SYS_chroot, (long)"/"),
	KILL("pivot_root", SYS_pivot_root, 0),
	KILL("setuid", SYS_setuid, 0),
	KILL("capset", SYS_capset, 0),
	KILL("seccomp", SYS_seccomp, 0),
	KILL("bpf", SYS_bpf, 0),
	KILL("io_uring_setup", SYS_io_uring_setup, 1),
	KILL("userfaultfd", SYS_userfaultfd, 0),
	KILL("perf_event_open", SYS_perf_event_open, 0),
	KILL("keyctl", SYS_keyctl, 0),
	KILL("init_module", SYS_init_module, 0),
	KILL("kexec_load", SYS_kexec_load, 0),
	KILL("reboot", SYS_reboot, 0),
	KILL("an x32 call", 0x40000000 + SYS_getpid, 0),
	KILL("a call of no kernel", 4095, 0),
	KILL("chmod by path", SYS_fchmodat, AT_FDCWD, (long)"out/file", 0777),
	KILL("chmod by path, with flags", 452, AT_FDCWD, (long)"out/file", 0777, 0),
	KILL("chown by path", SYS_fchownat, AT_FDCWD, (long)"out/file", 0, 0, 0),
	KILL("utimensat", SYS_utimensat, AT_FDCWD, (long)"out/file", 0, 0),
	KILL("mkdir", SYS_mkdirat, AT_FDCWD, (long)"out/new", 0700),
	KILL("unlink", SYS_unlinkat, AT_FDCWD, (long)"out/file", 0),
	KILL("rename", SYS_renameat2, AT_FDCWD, (long)"out/file", AT_FDCWD, (long)"out/other", 0),
	KILL("link", SYS_linkat, AT_FDCWD, (long)"out/file", AT_FDCWD, (long)"out/other", 0),
	KILL("symlink", SYS_symlinkat, (long)"file", AT_FDCWD, (long)"out/other"),
	KILL("a FIFO", SYS_mknodat, AT_FDCWD, (long)"out/fifo", S_IFIFO | 0600),
	KILL("truncate", SYS_truncate, (long)"out/file", 0),
	KILL("chdir", SYS_chdir, (long)"out"),
	KILL("process_vm_writev", SYS_process_vm_writev, 1),
	KILL("pidfd_getfd", SYS_pidfd_getfd, 0),
	KILL("process_madvise", SYS_process_madvise, 0),
	KILL("prctl for dumps", SYS_prctl, PR_SET_DUMPABLE, 1),
	KILL("prctl for others to trace it", SYS_prctl, PR_SET_PTRACER, -1),
	KILL("prctl for a capability", SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0),
	KILL("remap_file_pages", SYS_remap_file_pages, 0),
	KILL("personality", SYS_personality, 0x0400000),
	KILL("landlock_create_ruleset", SYS_landlock_create_ruleset, 0),
	KILL("sched_setscheduler", SYS_sched_setscheduler, 0),
	KILL("sched_setaffinity", SYS_sched_setaffinity, 0),
	KILL("quotactl", SYS_quotactl, 0),
	KILL("syslog", SYS_syslog, 3),
	KILL("mq_open", SYS_mq_open, (long)"x", O_CREAT | O_RDWR, 0600),
	KILL("shmget", SYS_shmget, 1, 4096, 01600),
	KILL("msgget", SYS_msgget, 1, 01600),
	KILL("semget", SYS_semget, 1, 1, 01600),
	KILL("fanotify_init", SYS_fanotify_init, 0),
	KILL("name_to_handle_at", SYS_name_to_handle_at, AT_FDCWD, (long)"out/file"),
};
const size_t forbidden_count = COUNT(forbidden);

static const struct open_how reading = { .flags = O_RDONLY }, writing = { .flags = O_RDWR },
	truncating = { .flags = O_RDONLY | O_TRUNC }, creating = { .flags = O_WRONLY | O_CREAT, .mode = 0600 },
	unnamed = { .flags = O_RDWR | O_TMPFILE, .mode = 0600 }, listing = { .flags = O_RDONLY | O_DIRECTORY };

#define OPEN(path, how) SYS_openat2, { AT_FDCWD, (long)(path), (long)&(how), sizeof(how) }

const struct attempt reaches[] = {
	{ "read below a grant", OPEN("ro/file", reading), WORKS, 0 },
	{ "list a grant", OPEN("ro", listing), WORKS, 0 },
	{ "write below a writable grant", OPEN("rw/file", writing), WORKS, 0 },
	{ "create there", OPEN("rw/new", creating), WORKS, 0 },
	{ "make a directory there", SYS_mkdirat, { AT_FDCWD, (long)"rw/dir", 0700 }, WORKS, 0 },
	{ "rename to another directory there", SYS_renameat2,
	  { AT_FDCWD, (long)"rw/new", AT_FDCWD, (long)"rw/dir/new", 0 }, WORKS, 2 },
	{ "read outside", OPEN("out/file", reading), -EACCES, 0 },
	{ "read outside by ..", OPEN("ro/../out/file", reading), -EACCES, 0 },
	{ "read outside by an absolute path", OPEN("/etc/passwd", reading), -EACCES, 0 },
	{ "list the root", OPEN("/", listing), -EACCES, 0 },
	{ "write outside", OPEN("out/file", writing), -EACCES, 0 },
	{ "truncate outside", OPEN("out/file", truncating), -EACCES, 0 },
	{ "create outside", OPEN("out/new", creating), -EACCES, 0 },
	{ "an unnamed file outside", OPEN("out", unnamed), -EACCES, 0 },
	{ "its own memory", OPEN("/proc/self/mem", writing), -EACCES, 0 },
	{ "its own memory, to read", OPEN("/proc/self/mem", reading), -EACCES, 0 },
	{ "its own maps", OPEN("/proc/self/maps", reading), -EACCES, 0 },
	{ "a file by /proc/self/root", OPEN("/proc/self/root/etc/passwd", reading), -EACCES, 0 },
	{ "another process's environment", OPEN("/proc/1/environ", reading), -EACCES, 0 },
	{ "another process's memory", OPEN("/proc/1/mem", reading), -EACCES, 0 },
	{ "list the processes", OPEN("/proc", listing), -EACCES, 0 },
	{ "the score for running out of memory", OPEN("/proc/self/oom_score_adj", writing), -EACCES, 0 },
	{ "the hypervisor again", OPEN("/dev/kvm", writing), -EACCES, 0 },
	{ "the module's hypervisor again", OPEN("/dev/kvmrun", writing), -EACCES, 0 },
	{ "the terminal", OPEN("/dev/tty", writing), -EACCES, 0 },
	{ "the machine's memory", OPEN("/dev/mem", reading), -EACCES, 0 },
	{ "the kernel's log", OPEN("/dev/kmsg", reading), -EACCES, 0 },
	{ "the null device", OPEN("/dev/null", writing), WORKS, 0 },
	{ "write below a readable grant", OPEN("ro/file", writing), -EACCES, 0 },
	{ "truncate there", OPEN("ro/file", truncating), -EACCES, 3 },
	{ "create there", OPEN("ro/new", creating), -EACCES, 0 },
	{ "an unnamed file there", OPEN("ro", unnamed), -EACCES, 0 },
	{ "unlink there", SYS_unlinkat, { AT_FDCWD, (long)"ro/file", 0 }, -EACCES, 0 },
	{ "remove a directory there", SYS_unlinkat, { AT_FDCWD, (long)"ro/dir", AT_REMOVEDIR }, -EACCES, 0 },
	{ "make a directory there", SYS_mkdirat, { AT_FDCWD, (long)"ro/new", 0700 }, -EACCES, 0 },
	{ "rename there", SYS_renameat2, { AT_FDCWD, (long)"ro/file", AT_FDCWD, (long)"ro/other", 0 }, -EACCES, 0 },
	{ "move away from there", SYS_renameat2, { AT_FDCWD, (long)"ro/file", AT_FDCWD, (long)"rw/other", 0 }, -EACCES, 0 },
	{ "exchange", SYS_renameat2, { AT_FDCWD, (long)"rw/file", AT_FDCWD, (long)"ro/file", 2 }, -EACCES, 0 },
	{ "link to what is there", SYS_linkat, { AT_FDCWD, (long)"ro/file", AT_FDCWD, (long)"rw/other", 0 }, -EXDEV, 0 },
	{ "link to what is outside", SYS_linkat, { AT_FDCWD, (long)"out/file", AT_FDCWD, (long)"rw/other", 0 }, -EXDEV, 0 },
	{ "a symbolic link there", SYS_symlinkat, { (long)"file", AT_FDCWD, (long)"ro/other" }, -EACCES, 0 },
	{ "a FIFO there", SYS_mknodat, { AT_FDCWD, (long)"ro/fifo", S_IFIFO | 0600 }, -EACCES, 0 },
	{ "a FIFO outside", SYS_mknodat, { AT_FDCWD, (long)"out/fifo", S_IFIFO | 0600 }, -EACCES, 0 },
	{ "unlink outside", SYS_unlinkat, { AT_FDCWD, (long)"out/file", 0 }, -EACCES, 0 },
	{ "a device below a writable grant", SYS_mknodat, { AT_FDCWD, (long)"rw/null", S_IFCHR | 0600, 0x103 }, KILLS, 0 },
	{ "truncate by path", SYS_truncate, { (long)"ro/file", 0 }, KILLS, 0 },
	{ "execute what is granted", SYS_execve, { (long)"rw/file" }, KILLS, 0 },
	{ "a socket of TCP", SYS_socket, { AF_INET, SOCK_STREAM }, KILLS, 0 },
};
const size_t reaches_count = COUNT(reaches);

long attempt_make(const struct attempt *a)
{
	long ret = syscall(a->nr, a->arg[0], a->arg[1], a->arg[2], a->arg[3], a->arg[4], a->arg[5]);

	return ret < 0 ? -errno : ret;
}

bool attempt_as_expected(const struct attempt *a, bool killed, long result)
{
	if (killed || a->expected == KILLS)
		return killed && a->expected == KILLS;
	if (a->expected == WORKS)
		return result >= 0;
	return result == a->expected || (result == -ENOENT && strncmp((const char *)a->arg[1], "/dev/", 5) == 0);
}
