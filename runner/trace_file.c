/* SPDX-License-Identifier: GPL-2.0-only */
/* The structures of files, descriptors and terminals, as --trace prints them. */
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "trace_line.h"

#define SIZE_IS(name, type) _Static_assert(ABI_SIZE_##name == sizeof(type), #name)

SIZE_IS(stat, struct stat);
SIZE_IS(statx, struct statx);
SIZE_IS(statfs, struct statfs);
struct winsize {
	unsigned short row, col, xpixel, ypixel;
};
SIZE_IS(winsize, struct winsize);
void put_stat(struct trace *t, const void *p)
{
	const struct stat *v = p;

	put(t, "{st_mode=");
	put_value(t, ABI_FMT_FILEMODE, v->st_mode);
	if (S_ISCHR(v->st_mode) || S_ISBLK(v->st_mode)) {
		put(t, ", st_rdev=");
		put_value(t, ABI_FMT_DEV, v->st_rdev);
	} else {
		put(t, ", st_size=%ld", v->st_size);
	}
	put(t, ", ...}");
}

static const struct name statx_attributes[] = {
	NAME(STATX_ATTR_COMPRESSED), NAME(STATX_ATTR_IMMUTABLE), NAME(STATX_ATTR_APPEND),
	NAME(STATX_ATTR_NODUMP), NAME(STATX_ATTR_ENCRYPTED), NAME(STATX_ATTR_AUTOMOUNT),
	{ 0x2000, "STATX_ATTR_MOUNT_ROOT" }, NAME(STATX_ATTR_VERITY), { 0x200000, "STATX_ATTR_DAX" },
};

void put_statx(struct trace *t, const void *p)
{
	const struct statx *v = p;

	put(t, "{stx_mask=");
	put_value(t, ABI_FMT_STATX, v->stx_mask);
	put(t, ", stx_attributes=");
	PUT_FLAGS(t, statx_attributes, v->stx_attributes, "STATX_ATTR_???");
	put(t, ", stx_mode=");
	put_value(t, ABI_FMT_FILEMODE, v->stx_mode);
	put(t, ", stx_size=%llu, ...}", v->stx_size);
}

static const struct name magics[] = {
	NAME(EXT2_SUPER_MAGIC), NAME(TMPFS_MAGIC), NAME(PROC_SUPER_MAGIC), NAME(SYSFS_MAGIC),
	NAME(OVERLAYFS_SUPER_MAGIC), NAME(BTRFS_SUPER_MAGIC), NAME(XFS_SUPER_MAGIC), NAME(F2FS_SUPER_MAGIC),
	NAME(RAMFS_MAGIC), NAME(PIPEFS_MAGIC), NAME(SOCKFS_MAGIC), NAME(DEVPTS_SUPER_MAGIC), NAME(V9FS_MAGIC),
	NAME(NFS_SUPER_MAGIC), NAME(MSDOS_SUPER_MAGIC), NAME(SQUASHFS_MAGIC), NAME(ISOFS_SUPER_MAGIC),
	NAME(ANON_INODE_FS_MAGIC), NAME(CGROUP2_SUPER_MAGIC), NAME(HUGETLBFS_MAGIC), NAME(FUSE_SUPER_MAGIC),
};

static const struct name mount_flags[] = {
	{ 0x20, "ST_VALID" }, NAME(ST_RDONLY), NAME(ST_NOSUID), NAME(ST_NODEV), NAME(ST_NOEXEC),
	NAME(ST_SYNCHRONOUS), NAME(ST_MANDLOCK), NAME(ST_NOATIME), NAME(ST_NODIRATIME), NAME(ST_RELATIME),
	{ 0x2000, "ST_NOSYMFOLLOW" },
};

void put_statfs(struct trace *t, const void *p)
{
	const struct statfs *v = p;

	put(t, "{f_type=");
	PUT_ENUM(t, magics, (uint64_t)v->f_type, NULL);
	put(t, ", f_bsize=%lu, f_blocks=%lu, f_bfree=%lu, f_bavail=%lu, f_files=%lu, f_ffree=%lu, "
	    "f_fsid={val=[%#x, %#x]}, f_namelen=%lu, f_frsize=%lu, f_flags=",
	    v->f_bsize, v->f_blocks, v->f_bfree, v->f_bavail, v->f_files, v->f_ffree,
	    v->f_fsid.__val[0], v->f_fsid.__val[1], v->f_namelen, v->f_frsize);
	PUT_FLAGS(t, mount_flags, (uint64_t)v->f_flags, "ST_???");
	put(t, "}");
}

void put_pollfd(struct trace *t, const void *p)
{
	const struct pollfd *v = p;

	put(t, "{fd=%d", v->fd);
	if (v->fd >= 0) {
		put(t, ", events=");
		put_value(t, ABI_FMT_POLL, (uint16_t)v->events);
	}
	put(t, "}");
}

static const struct name epoll_events[] = {
	NAME(EPOLLIN), NAME(EPOLLPRI), NAME(EPOLLOUT), NAME(EPOLLERR), NAME(EPOLLHUP), { 0x20, "EPOLLNVAL" },
	NAME(EPOLLRDNORM), NAME(EPOLLRDBAND), NAME(EPOLLWRNORM), NAME(EPOLLWRBAND), NAME(EPOLLMSG),
	NAME(EPOLLRDHUP), NAME(EPOLLEXCLUSIVE), NAME(EPOLLWAKEUP), NAME(EPOLLONESHOT), NAME(EPOLLET),
};

void put_epoll_event(struct trace *t, const void *p)
{
	struct epoll_event v;

	memcpy(&v, p, sizeof(v));
	put(t, "{events=");
	PUT_FLAGS(t, epoll_events, v.events, "EPOLL???");
	put(t, ", data={u32=%u, u64=%lu}}", v.data.u32, v.data.u64);
}

static const struct name resolves[] = {
	NAME(RESOLVE_NO_XDEV), NAME(RESOLVE_NO_MAGICLINKS), NAME(RESOLVE_NO_SYMLINKS), NAME(RESOLVE_BENEATH),
	NAME(RESOLVE_IN_ROOT), NAME(RESOLVE_CACHED),
};

void put_open_how(struct trace *t, const void *p)
{
	const struct open_how *v = p;

	put(t, "{flags=");
	put_value(t, ABI_FMT_OPEN, v->flags);
	if (v->mode || (v->flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))))
		put(t, ", mode=%#03llo", v->mode);
	put(t, ", resolve=");
	PUT_FLAGS(t, resolves, v->resolve, "RESOLVE_???");
	put(t, "}");
}

static const struct name lock_types[] = { NAME(F_RDLCK), NAME(F_WRLCK), NAME(F_UNLCK) };

static void put_flock(struct trace *t, const void *p)
{
	const struct flock *v = p;

	put(t, "{l_type=");
	PUT_ENUM(t, lock_types, (uint16_t)v->l_type, "F_???");
	put(t, ", l_whence=");
	put_value(t, ABI_FMT_WHENCE, (uint16_t)v->l_whence);
	put(t, ", l_start=%ld, l_len=%ld", v->l_start, v->l_len);
}

void put_setlk(struct trace *t, const void *p)
{
	put_flock(t, p);
	put(t, "}");
}

void put_getlk(struct trace *t, const void *p)
{
	put_flock(t, p);
	put(t, ", l_pid=%d}", ((const struct flock *)p)->l_pid);
}

static const struct name iflags[] = {
	NAME(IGNBRK), NAME(BRKINT), NAME(IGNPAR), NAME(PARMRK), NAME(INPCK), NAME(ISTRIP), NAME(INLCR),
	NAME(IGNCR), NAME(ICRNL), NAME(IUCLC), NAME(IXON), NAME(IXANY), NAME(IXOFF), NAME(IMAXBEL), NAME(IUTF8),
};

static const struct name oflags[] = {
	NAME(OPOST), NAME(OLCUC), NAME(ONLCR), NAME(OCRNL), NAME(ONOCR), NAME(ONLRET), NAME(OFILL), NAME(OFDEL),
};

static const struct name speeds[] = {
	NAME(B0), NAME(B50), NAME(B75), NAME(B110), NAME(B134), NAME(B150), NAME(B200), NAME(B300), NAME(B600),
	NAME(B1200), NAME(B1800), NAME(B2400), NAME(B4800), NAME(B9600), NAME(B19200), NAME(B38400), NAME(BOTHER),
	NAME(B57600), NAME(B115200), NAME(B230400), NAME(B460800), NAME(B921600),
};

static const struct name cflags[] = {
	NAME(CSTOPB), NAME(CREAD), NAME(PARENB), NAME(PARODD), NAME(HUPCL), NAME(CLOCAL), NAME(CMSPAR),
	NAME(CRTSCTS),
};

static const struct name lflags[] = {
	NAME(ISIG), NAME(ICANON), NAME(XCASE), NAME(ECHO), NAME(ECHOE), NAME(ECHOK), NAME(ECHONL), NAME(NOFLSH),
	NAME(TOSTOP), NAME(ECHOCTL), NAME(ECHOPRT), NAME(ECHOKE), NAME(FLUSHO), NAME(PENDIN), NAME(IEXTEN),
	NAME(EXTPROC),
};

/* struct termios2 begins like it. */
void put_termios(struct trace *t, const void *p)
{
	const struct termios *v = p;
	unsigned int o = v->c_oflag, c = v->c_cflag;

	put(t, "{c_iflag=");
	if (v->c_iflag)
		PUT_FLAGS(t, iflags, v->c_iflag, NULL);
	put(t, ", c_oflag=NL%u|CR%u|TAB%u|BS%u|VT%u|FF%u", (o & NLDLY) >> 8, (o & CRDLY) >> 9, (o & TABDLY) >> 11,
	    (o & BSDLY) >> 13, (o & VTDLY) >> 14, (o & FFDLY) >> 15);
	o &= ~(NLDLY | CRDLY | TABDLY | BSDLY | VTDLY | FFDLY);
	if (o) {
		put(t, "|");
		PUT_FLAGS(t, oflags, o, NULL);
	}
	put(t, ", c_cflag=");
	PUT_ENUM(t, speeds, c & CBAUD, NULL);
	put(t, "|CS%u", 5 + ((c & CSIZE) >> 4));
	c &= ~(CBAUD | CSIZE);
	if (c) {
		put(t, "|");
		PUT_FLAGS(t, cflags, c, NULL);
	}
	put(t, ", c_lflag=");
	if (v->c_lflag)
		PUT_FLAGS(t, lflags, v->c_lflag, NULL);
	put(t, ", ...}");
}

/* Its older form begins with the same four in 16 bits each. */
void put_termio(struct trace *t, const void *p)
{
	const uint16_t *v = p;

	put_termios(t, &(struct termios){ .c_iflag = v[0], .c_oflag = v[1], .c_cflag = v[2], .c_lflag = v[3] });
}

void put_winsize(struct trace *t, const void *p)
{
	const struct winsize *v = p;

	put(t, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", v->row, v->col, v->xpixel, v->ypixel);
}

/* What else there is depends on the request. */
void put_ifreq(struct trace *t, const void *p)
{
	put(t, "{ifr_name=");
	put_quoted(t, p, strnlen(p, IFNAMSIZ));
	put(t, ", ...}");
}

void put_owner(struct trace *t, const void *p)
{
	static const struct name types[] = { NAME(F_OWNER_TID), NAME(F_OWNER_PID), NAME(F_OWNER_PGRP) };
	const struct f_owner_ex *v = p;

	put(t, "{type=");
	PUT_ENUM(t, types, v->type, "F_OWNER_???");
	put(t, ", pid=%d}", v->pid);
}

/* A set of CPUs, or of descriptors, as "[0 3]". */
void put_bits(struct trace *t, const uint8_t *set, uint64_t n)
{
	const char *space = "";

	put(t, "[");
	for (uint64_t i = 0; i < n; i++)
		if (set[i / 8] >> i % 8 & 1) {
			put(t, "%s%lu", space, i);
			space = " ";
		}
	put(t, "]");
}

void put_fdset(struct trace *t, const void *set, uint64_t nfds)
{
	put_bits(t, set, nfds > FD_SETSIZE ? FD_SETSIZE : nfds);
}

void put_revents(struct trace *t, const void *fds, size_t bytes)
{
	struct pollfd p;
	size_t shown = 0;

	put(t, "[");
	for (size_t i = 0; i < bytes / sizeof(p); i++) {
		memcpy(&p, (const char *)fds + i * sizeof(p), sizeof(p));
		if (!p.revents)
			continue;
		if (shown == TRACE_ELEMENTS) {
			put(t, ", ...");
			break;
		}
		put(t, "%s{fd=%d, revents=", shown++ ? ", " : "", p.fd);
		put_value(t, ABI_FMT_POLL, (uint16_t)p.revents);
		put(t, "}");
	}
	put(t, "]");
}
