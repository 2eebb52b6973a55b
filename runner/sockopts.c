/* SPDX-License-Identifier: GPL-2.0-only */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "sockopts.h"

#define G SOCKOPT_G
#define S SOCKOPT_S
const struct sockopt sockopts[] = {
#define SOCKOPT(level, name, number, access, form) { level, number, access, SOCKOPT_##form, #name },
#include "sockopts.def"
#undef SOCKOPT
};
const size_t sockopt_count = sizeof(sockopts) / sizeof(sockopts[0]);

const struct sockopt *sockopt_find(int level, int number)
{
	for (size_t i = 0; i < sockopt_count; i++)
		if (sockopts[i].level == level && sockopts[i].number == number)
			return &sockopts[i];
	return NULL;
}
