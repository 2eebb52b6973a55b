/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host_work.c - what a task has to do before it may go on in a guest
 *
 * It is what other tasks do on their way back to user mode: signals, another
 * task's turn, task work, rseq. The kernel has a function for hypervisors, which
 * wants stock KVM's vCPU, to count and tell a signal in it. It gets one that
 * nobody reads; this file alone sees stock KVM's types.
 */
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>

#include "kvmrun.h"

static struct kvm_run unread_run;
static struct kvm_vcpu unread = { .run = &unread_run };

int host_work(void)
{
	return xfer_to_guest_mode_handle_work(&unread);
}
