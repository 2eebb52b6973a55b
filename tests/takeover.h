/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_TESTS_TAKEOVER_H
#define KVMRUN_TESTS_TAKEOVER_H

/* Between takeover.c and guest/takeover.c */
#define TAKEOVER		0x5afe0000u
#define TAKEOVER_REACHES	0x1000u
#define TAKEOVER_PORTS		0x2000u
#define TAKEOVER_END		0x3000u

#endif
