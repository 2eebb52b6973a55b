/* SPDX-License-Identifier: GPL-2.0-only */
#include "elf_runtime.c"
