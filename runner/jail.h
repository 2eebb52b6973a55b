/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_JAIL_H
#define KVMRUN_JAIL_H

/*
 * Gives up all that running the guest does not need. To be called once
 * everything is open and before the first guest instruction; there is no way
 * back. A layer that the kernel lacks is one line on stderr and exit status 125.
 */
void jail_enter(void);

#endif
