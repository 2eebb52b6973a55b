/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <netinet/in.h>
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
#include <sys/un.h>
#include <unistd.h>

#include "attempts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define KILL(name, nr, ...) { name, nr, { __VA_ARGS__ }, KILLS, 0, NULL }

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
	KILL("chmod", SYS_chmod, (long)"out/file", 0777),
	KILL("chown", SYS_chown, (long)"out/file", 0, 0),
	KILL("chmod of a descriptor", SYS_fchmod, 0, 0777),
	KILL("chown of a descriptor", SYS_fchown, 0, 0, 0),
	KILL("utime", SYS_utime, (long)"out/file", 0),
	KILL("setxattr", SYS_setxattr, (long)"out/file", (long)"user.x", (long)"1", 1, 0),
	KILL("lsetxattr", SYS_lsetxattr, (long)"out/file", (long)"user.x", (long)"1", 1, 0),
	KILL("setxattr of a descriptor", SYS_fsetxattr, 0, (long)"user.x", (long)"1", 1, 0),
	KILL("removexattr", SYS_removexattr, (long)"out/file", (long)"user.x"),
	KILL("removexattr of a descriptor", SYS_fremovexattr, 0, (long)"user.x"),
	KILL("rename, as it was", SYS_rename, (long)"out/file", (long)"out/other"),
	KILL("link, as it was", SYS_link, (long)"out/file", (long)"out/other"),
	KILL("mknod, as it was", SYS_mknod, (long)"out/fifo", S_IFIFO | 0600),
	KILL("a regular file by mknod", SYS_mknodat, AT_FDCWD, (long)"out/new", S_IFREG | 0600),
	KILL("kcmp", SYS_kcmp, 1, 1, 0),
	KILL("add_key", SYS_add_key, (long)"user", (long)"x", (long)"x", 1, -3),
	KILL("request_key", SYS_request_key, (long)"user", (long)"x", 0, -3),
	KILL("io_uring_enter", SYS_io_uring_enter, 0, 1),
	KILL("io_uring_register", SYS_io_uring_register, 0),
	KILL("umount", SYS_umount2, (long)"/proc", 0),
	KILL("open_tree", SYS_open_tree, AT_FDCWD, (long)"/"),
	KILL("move_mount", SYS_move_mount, 0),
	KILL("mount_setattr", SYS_mount_setattr, AT_FDCWD, (long)"/"),
	KILL("a process with a namespace of its own", SYS_clone, CLONE_NEWUSER | SIGCHLD),
	KILL("a process that nobody is told the end of", SYS_clone, 0),
	KILL("a process with its memory", SYS_clone, CLONE_VM | SIGCHLD),
	KILL("prlimit64 of descriptors", SYS_prlimit64, 0, RLIMIT_NOFILE),
	KILL("prlimit64 of memory", SYS_prlimit64, 0, RLIMIT_AS),
	KILL("prlimit64 of processes", SYS_prlimit64, 0, RLIMIT_NPROC),
	KILL("prlimit64 of another process's files", SYS_prlimit64, 1, RLIMIT_FSIZE),
	KILL("prctl for speculation", SYS_prctl, 53 /* PR_SET_SPECULATION_CTRL */, 0, 0),
	KILL("prctl for securebits", SYS_prctl, PR_SET_SECUREBITS, 0),
	KILL("ioperm", SYS_ioperm, 0, 1, 1),
	KILL("iopl", SYS_iopl, 3),
	KILL("modify_ldt", SYS_modify_ldt, 0),
	KILL("sigaltstack", SYS_sigaltstack, 0),
	KILL("vmsplice", SYS_vmsplice, 0),
	KILL("memfd_secret", SYS_memfd_secret, 0),
	KILL("a page of both kinds", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
	KILL("executable mmap behind other bits", SYS_mmap, 0, 4096, 0x10000000 | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
	KILL("KVM's debugging", SYS_ioctl, 0, (long)KVM_SET_GUEST_DEBUG),
	KILL("KVM_SET_NESTED_STATE", SYS_ioctl, 0, (long)KVM_SET_NESTED_STATE),
	KILL("TIOCSETD", SYS_ioctl, 0, 0x5423, (long)"x"),
	KILL("TIOCCONS", SYS_ioctl, 0, 0x541d),
	KILL("F_NOTIFY", SYS_fcntl, 0, F_NOTIFY, 1),
	KILL("F_SETLEASE", SYS_fcntl, 0, F_SETLEASE, 0),
	KILL("FIOASYNC", SYS_ioctl, 0, 0x5452, (long)"x"),
};
const size_t forbidden_count = COUNT(forbidden);

static const struct open_how reading = { .flags = O_RDONLY }, writing = { .flags = O_RDWR },
	truncating = { .flags = O_RDONLY | O_TRUNC }, creating = { .flags = O_WRONLY | O_CREAT, .mode = 0600 },
	unnamed = { .flags = O_RDWR | O_TMPFILE, .mode = 0600 }, listing = { .flags = O_RDONLY | O_DIRECTORY };

static const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

#define OPEN(path, how) SYS_openat2, { AT_FDCWD, (long)(path), (long)&(how), sizeof(how) }

const struct attempt reaches[] = {
	{ "read below a grant", OPEN("ro/file", reading), WORKS, 0, NULL },
	{ "list a grant", OPEN("ro", listing), WORKS, 0, NULL },
	{ "write below a writable grant", OPEN("rw/file", writing), WORKS, 0, NULL },
	{ "create there", OPEN("rw/new", creating), WORKS, 0, NULL },
	{ "make a directory there", SYS_mkdirat, { AT_FDCWD, (long)"rw/dir", 0700 }, WORKS, 0, NULL },
	{ "rename to another directory there", SYS_renameat2,
	  { AT_FDCWD, (long)"rw/new", AT_FDCWD, (long)"rw/dir/new", 0 }, WORKS, 2, NULL },
	{ "read outside", OPEN("out/file", reading), -EACCES, 0, NULL },
	{ "read outside by ..", OPEN("ro/../out/file", reading), -EACCES, 0, NULL },
	{ "read outside by an absolute path", OPEN("/etc/passwd", reading), -EACCES, 0, NULL },
	{ "list the root", OPEN("/", listing), -EACCES, 0, NULL },
	{ "write outside", OPEN("out/file", writing), -EACCES, 0, NULL },
	{ "truncate outside", OPEN("out/file", truncating), -EACCES, 0, NULL },
	{ "create outside", OPEN("out/new", creating), -EACCES, 0, NULL },
	{ "an unnamed file outside", OPEN("out", unnamed), -EACCES, 0, NULL },
	{ "its own memory", OPEN("/proc/self/mem", writing), -EACCES, 0, NULL },
	{ "its own memory, to read", OPEN("/proc/self/mem", reading), -EACCES, 0, NULL },
	{ "its own maps", OPEN("/proc/self/maps", reading), -EACCES, 0, NULL },
	{ "a file by /proc/self/root", OPEN("/proc/self/root/etc/passwd", reading), -EACCES, 0, NULL },
	{ "another process's environment", OPEN("/proc/1/environ", reading), -EACCES, 0, NULL },
	{ "another process's memory", OPEN("/proc/1/mem", reading), -EACCES, 0, NULL },
	{ "list the processes", OPEN("/proc", listing), -EACCES, 0, NULL },
	{ "the score for running out of memory", OPEN("/proc/self/oom_score_adj", writing), -EACCES, 0, NULL },
	{ "the hypervisor again", OPEN("/dev/kvm", writing), -EACCES, 0, NULL },
	{ "the module's hypervisor again", OPEN("/dev/kvmrun", writing), -EACCES, 0, NULL },
	{ "the terminal", OPEN("/dev/tty", writing), -EACCES, 0, NULL },
	{ "the machine's memory", OPEN("/dev/mem", reading), -EACCES, 0, NULL },
	{ "the kernel's log", OPEN("/dev/kmsg", reading), -EACCES, 0, NULL },
	{ "the null device", OPEN("/dev/null", writing), WORKS, 0, NULL },
	{ "write below a readable grant", OPEN("ro/file", writing), -EACCES, 0, NULL },
	{ "truncate there", OPEN("ro/file", truncating), -EACCES, 3, NULL },
	{ "create there", OPEN("ro/new", creating), -EACCES, 0, NULL },
	{ "an unnamed file there", OPEN("ro", unnamed), -EACCES, 0, NULL },
	{ "unlink there", SYS_unlinkat, { AT_FDCWD, (long)"ro/file", 0 }, -EACCES, 0, NULL },
	{ "remove a directory there", SYS_unlinkat, { AT_FDCWD, (long)"ro/dir", AT_REMOVEDIR }, -EACCES, 0, NULL },
	{ "make a directory there", SYS_mkdirat, { AT_FDCWD, (long)"ro/new", 0700 }, -EACCES, 0, NULL },
	{ "rename there", SYS_renameat2, { AT_FDCWD, (long)"ro/file", AT_FDCWD, (long)"ro/other", 0 }, -EACCES, 0, NULL },
	{ "move away from there", SYS_renameat2, { AT_FDCWD, (long)"ro/file", AT_FDCWD, (long)"rw/other", 0 }, -EACCES, 0, NULL },
	{ "exchange", SYS_renameat2, { AT_FDCWD, (long)"rw/file", AT_FDCWD, (long)"ro/file", 2 }, -EACCES, 0, NULL },
	{ "link to what is there", SYS_linkat, { AT_FDCWD, (long)"ro/file", AT_FDCWD, (long)"rw/other", 0 }, -EXDEV, 0, NULL },
	{ "link to what is outside", SYS_linkat, { AT_FDCWD, (long)"out/file", AT_FDCWD, (long)"rw/other", 0 }, -EXDEV, 0, NULL },
	{ "a symbolic link there", SYS_symlinkat, { (long)"file", AT_FDCWD, (long)"ro/other" }, -EACCES, 0, NULL },
	{ "a FIFO there", SYS_mknodat, { AT_FDCWD, (long)"ro/fifo", S_IFIFO | 0600 }, -EACCES, 0, NULL },
	{ "a FIFO outside", SYS_mknodat, { AT_FDCWD, (long)"out/fifo", S_IFIFO | 0600 }, -EACCES, 0, NULL },
	{ "a socket outside, by mknod", SYS_mknodat, { AT_FDCWD, (long)"out/socket", S_IFSOCK | 0600 }, -EACCES, 0, NULL },
	{ "unlink outside", SYS_unlinkat, { AT_FDCWD, (long)"out/file", 0 }, -EACCES, 0, NULL },
	{ "a device below a writable grant", SYS_mknodat, { AT_FDCWD, (long)"rw/null", S_IFCHR | 0600, 0x103 }, KILLS, 0, NULL },
	{ "truncate by path", SYS_truncate, { (long)"ro/file", 0 }, KILLS, 0, NULL },
	{ "execute what is granted", SYS_execve, { (long)"rw/file" }, KILLS, 0, NULL },
	{ "a socket of TCP", SYS_socket, { AF_INET, SOCK_STREAM }, KILLS, 0, NULL },
	{ "rename outside", SYS_renameat2, { AT_FDCWD, (long)"out/file", AT_FDCWD, (long)"out/other", 0 }, -EACCES, 0, NULL },
	{ "move in from outside", SYS_renameat2, { AT_FDCWD, (long)"out/file", AT_FDCWD, (long)"rw/moved", 0 }, -EACCES, 0, NULL },
	{ "move out of a grant", SYS_renameat2, { AT_FDCWD, (long)"rw/file", AT_FDCWD, (long)"out/moved", 0 }, -EACCES, 0, NULL },
	{ "link out of a grant", SYS_linkat, { AT_FDCWD, (long)"rw/file", AT_FDCWD, (long)"out/linked", 0 }, -EACCES, 0, NULL },
	{ "a symbolic link outside", SYS_symlinkat, { (long)"file", AT_FDCWD, (long)"out/other" }, -EACCES, 0, NULL },
	{ "make a directory outside", SYS_mkdirat, { AT_FDCWD, (long)"out/new", 0700 }, -EACCES, 0, NULL },
	{ "a regular file outside, by mknod", SYS_mknodat, { AT_FDCWD, (long)"out/new", S_IFREG | 0600 }, -EACCES, 0, NULL },
	{ "truncate outside by path", SYS_truncate, { (long)"out/file", 0 }, KILLS, 0, NULL },
	{ "truncate what is open to read", SYS_ftruncate, { 0, 0 }, -EINVAL, 0, "ro/file" },
	{ "allocate in what is open to read", SYS_fallocate, { 0, 0, 0, 4096 }, -EBADF, 0, "ro/file" },
	{ "give a file away", SYS_fchownat, { AT_FDCWD, (long)"rw/file", 1, -1, 0 }, -EPERM, 0, NULL },
	{ "give one outside away", SYS_fchownat, { AT_FDCWD, (long)"out/file", 1, -1, 0 }, -EPERM, 0, NULL },
	{ "to a group of others", SYS_fchownat, { AT_FDCWD, (long)"out/file", -1, 1, 0 }, -EPERM, 0, NULL },
	{ "a mode of what is root's", SYS_fchmodat, { AT_FDCWD, (long)"/proc/sys/kernel/hostname", 0666 }, -EPERM, 0, NULL },
	{ "setxattr by path", SYS_setxattr, { (long)"rw/file", (long)"user.x", (long)"1", 1, 0 }, KILLS, 0, NULL },
	{ "a trusted attribute", SYS_fsetxattr, { 0, (long)"trusted.x", (long)"1", 1, 0 }, -EPERM, 0, "rw/file" },
	{ "a capability of a file", SYS_fsetxattr, { 0, (long)"security.capability", (long)"\1\0\0\2\377\377\377\377\0\0\0\0"
		"\0\0\0\0\0\0\0\0", 20, 0 }, -EPERM, 0, "rw/file" },
	{ "more than the limit of a file's size", SYS_prlimit64, { 0, RLIMIT_FSIZE, (long)&unlimited }, -EPERM, 0, NULL },
	/* not promised */
	{ "the mode of a file outside", SYS_fchmodat, { AT_FDCWD, (long)"out/file", 0755 }, WORKS, 0, NULL },
	{ "likewise, since Linux 6.6", 452, { AT_FDCWD, (long)"out/file", 0755, 0 }, WORKS, 4, NULL },
	{ "the mode of a file that can be read", SYS_fchmod, { 0, 0755 }, WORKS, 0, "ro/file" },
	{ "its owner, to itself", SYS_fchown, { 0, -1, -1 }, WORKS, 0, "ro/file" },
	{ "the times of a file outside", SYS_utimensat, { AT_FDCWD, (long)"out/file", 0, 0 }, WORKS, 0, NULL },
	{ "an attribute of a file that can be read", SYS_fsetxattr, { 0, (long)"user.x", (long)"1", 1, 0 }, WORKS, 0, "ro/file" },
	{ "a set-user-ID file below a writable grant", SYS_fchmodat, { AT_FDCWD, (long)"rw/file", 04755 }, WORKS, 0, NULL },
	{ "the metadata of a file outside", SYS_faccessat2, { AT_FDCWD, (long)"out/file", 0, 0 }, WORKS, 0, NULL },
};
const size_t reaches_count = COUNT(reaches);

long attempt_make(const struct attempt *a)
{
	long first = a->arg[0], ret;

	if (a->of)
		first = syscall(SYS_openat2, AT_FDCWD, a->of, &reading, sizeof(reading));
	ret = syscall(a->nr, first, a->arg[1], a->arg[2], a->arg[3], a->arg[4], a->arg[5]);
	return ret < 0 ? -errno : ret;
}

static bool as_expected(long expected, bool killed, long result)
{
	if (killed || expected == KILLS)
		return killed && expected == KILLS;
	return expected == WORKS ? result >= 0 : result == expected;
}

bool attempt_as_expected(const struct attempt *a, bool killed, long result)
{
	/* a device may be absent, and a file system without attributes */
	if (!killed && a->nr == SYS_openat2 && result == -ENOENT && strncmp((const char *)a->arg[1], "/dev/", 5) == 0)
		return true;
	if (!killed && a->nr == SYS_fsetxattr && result == -EOPNOTSUPP)
		return true;
	return as_expected(a->expected, killed, result);
}

/* ------------------------------------------------------------- ports */

const struct port_attempt port_attempts[] = {
	{ "connect to what is listed", CONNECT, AF_INET, SOCK_STREAM, LISTED, WORKS, 0 },
	{ "connect to another port", CONNECT, AF_INET, SOCK_STREAM, OTHER, -EACCES, 4 },
	{ "likewise of IPv6", CONNECT, AF_INET6, SOCK_STREAM, OTHER, -EACCES, 4 },
	{ "connect by a message", FAST_OPEN, AF_INET, SOCK_STREAM, OTHER, KILLS, 0 },
	{ "bind to what is listed", BIND, AF_INET, SOCK_STREAM, LISTED, WORKS, 0 },
	{ "bind to another port", BIND, AF_INET, SOCK_STREAM, OTHER, -EACCES, 4 },
	{ "likewise of IPv6", BIND, AF_INET6, SOCK_STREAM, OTHER, -EACCES, 4 },
	{ "bind to any port", BIND, AF_INET, SOCK_STREAM, ANY, WORKS, 0 },
	{ "a UNIX socket without a file", ABSTRACT, AF_UNIX, SOCK_STREAM, ANY, -EPERM, 6 },
	/* not promised */
	{ "listen at any port", LISTEN, AF_INET, SOCK_STREAM, ANY, WORKS, 0 },
	{ "UDP to another port", CONNECT, AF_INET, SOCK_DGRAM, OTHER, WORKS, 0 },
	{ "UDP at another port", BIND, AF_INET, SOCK_DGRAM, OTHER, WORKS, 0 },
};
const size_t port_attempt_count = COUNT(port_attempts);

long attempt_port(const struct port_attempt *a, uint16_t connect_port, uint16_t listen_port)
{
	bool connects = a->what == CONNECT || a->what == FAST_OPEN;
	uint16_t port = a->port == ANY ? 0 : (a->port == LISTED) == connects ? connect_port : listen_port;
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un local;
	} to = { .any.sa_family = a->family };
	socklen_t len = sizeof(to.four);
	struct msghdr m = { .msg_name = &to };
	int fd = socket(a->family, a->type | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	if (a->family == AF_INET) {
		to.four.sin_port = htons(port);
		to.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else if (a->family == AF_INET6) {
		len = sizeof(to.six);
		to.six.sin6_port = htons(port);
		to.six.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	} else {
		memcpy(to.local.sun_path + 1, ATTEMPT_ABSTRACT, strlen(ATTEMPT_ABSTRACT));
		len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(ATTEMPT_ABSTRACT);
	}
	m.msg_namelen = len;
	ret = a->what == BIND ? bind(fd, &to.any, len) : a->what == LISTEN ? listen(fd, 1) :
	      a->what == FAST_OPEN ? sendmsg(fd, &m, MSG_FASTOPEN | MSG_NOSIGNAL) : connect(fd, &to.any, len);
	return ret < 0 ? -errno : ret;
}

bool attempt_port_as_expected(const struct port_attempt *a, bool killed, long result)
{
	/* a machine without IPv6 */
	if (!killed && a->family == AF_INET6 && result == -EAFNOSUPPORT)
		return true;
	return as_expected(a->expected, killed, result);
}
