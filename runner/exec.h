/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * execve(2): another program in this process's place. What can fail is done by
 * exec_prepare(), on the thread that asks; then all vCPUs but the first one leave, and that
 * one's thread makes the change, in a new VM.
 */
#ifndef KVMRUN_EXEC_H
#define KVMRUN_EXEC_H

#include <stdbool.h>
#include <stddef.h>

struct abi_frame;
struct file;
struct program;
struct vcpu;
struct vm;

/* The program that runs from the start, open in fd, and how it was found. */
void exec_init(int fd, const char *path);

/* The program that runs, held; and its path: bytes. /proc/self/exe. */
struct file *exec_file(void);
size_t exec_path(char *to, size_t room);

/*
 * Opens and checks the dynamic linker that p->elf asks for, if any, in the grants. 0, or
 * -errno and in why what is wrong with it, to go behind its path.
 */
int exec_open_interpreter(struct program *p, char *why, size_t size);

/* ABI_OP_EXEC: 0, and exec_wanted() from now on, or -errno. */
int exec_prepare(struct vm *vm, const struct abi_frame *f);

/* Whether every vCPU is to leave what it does. */
bool exec_wanted(void);

/* The change, on the thread of vCPU 0. A failure ends the process, with one line. */
void exec_now(struct vcpu *vcpu);

#endif
