/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.c - what a VM and its vCPUs have counted, to be read from a file
 *
 * The file's format is described by its own header (api.rst, KVM_GET_STATS_FD);
 * names are those of stock KVM where it counts the same.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "kvmrun.h"

#define NAME_SIZE 48

struct counter {
	const char *name;
	u32 type;	/* KVM_STATS_TYPE_* */
	size_t offset;	/* of a u64 in the object */
};

#define CUMULATIVE(object, member, name) \
	{ name, KVM_STATS_TYPE_CUMULATIVE, offsetof(struct object, member) }

static const struct counter vm_stats[] = {
	CUMULATIVE(vm, tlb_gen, "remote_tlb_flush"),
	{ "nested_tables", KVM_STATS_TYPE_INSTANT, offsetof(struct vm, nr_tables) },
};

static const struct counter vcpu_stats[] = {
	CUMULATIVE(vcpu, stats.exits, "exits"),
	CUMULATIVE(vcpu, stats.pf_taken, "pf_taken"),
	CUMULATIVE(vcpu, stats.io_exits, "io_exits"),
	CUMULATIVE(vcpu, stats.mmio_exits, "mmio_exits"),
	CUMULATIVE(vcpu, stats.halt_exits, "halt_exits"),
	CUMULATIVE(vcpu, stats.signal_exits, "signal_exits"),
	CUMULATIVE(vcpu, stats.irq_window_exits, "irq_window_exits"),
};

/* What the file holds is at the end; data is brought up to date by each read. */
struct stats {
	struct vm *vm;
	const void *object;
	const struct counter *table;
	unsigned int nr;
	size_t size;
	u64 *data;
	struct kvm_stats_header header;
	u8 rest[];
};

static ssize_t stats_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	struct stats *s = file->private_data;
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		WRITE_ONCE(s->data[i], READ_ONCE(*(u64 *)(s->object + s->table[i].offset)));
	return simple_read_from_buffer(to, size, pos, &s->header, s->size);
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats *s = file->private_data;

	vm_put(s->vm);
	kfree(s);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

static struct stats *stats_new(const struct counter *table, unsigned int nr)
{
	/* newer kernels have room for the name within the struct */
	const size_t desc_size = offsetof(struct kvm_stats_desc, name) + NAME_SIZE;
	const size_t id = sizeof(struct kvm_stats_header), desc = id + NAME_SIZE;
	const size_t data = desc + nr * desc_size, size = data + nr * sizeof(u64);
	struct stats *s = kzalloc(offsetof(struct stats, header) + size, GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!s)
		return NULL;
	s->table = table;
	s->nr = nr;
	s->size = size;
	s->data = (void *)&s->header + data;
	s->header.name_size = NAME_SIZE;
	s->header.num_desc = nr;
	s->header.id_offset = id;
	s->header.desc_offset = desc;
	s->header.data_offset = data;
	for (i = 0; i < nr; i++) {
		struct kvm_stats_desc *d = (void *)&s->header + desc + i * desc_size;

		d->flags = table[i].type | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10;
		d->size = 1;
		d->offset = i * sizeof(u64);
		strscpy(d->name, table[i].name, NAME_SIZE);
	}
	return s;
}

int stats_open(struct vm *vm, struct vcpu *vcpu)
{
	struct stats *s = vcpu ? stats_new(vcpu_stats, ARRAY_SIZE(vcpu_stats)) :
				 stats_new(vm_stats, ARRAY_SIZE(vm_stats));
	struct file *file;
	char *id;
	int fd;

	if (!s)
		return -ENOMEM;
	s->vm = vm;
	s->object = vcpu ? (void *)vcpu : vm;
	id = (char *)s->rest;
	if (vcpu)
		snprintf(id, NAME_SIZE, "kvm-%d/vcpu-%d", task_tgid_nr(current), vcpu->id);
	else
		snprintf(id, NAME_SIZE, "kvm-%d", task_tgid_nr(current));
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto free;
	file = anon_inode_getfile(id, &stats_fops, s, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto free;
	}
	/* vCPUs stay as long as their VM does */
	vm_get(vm);
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;

free:
	kfree(s);
	return fd;
}
