/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets: compared with native runs, and what each --net lets a program reach. */
#include "lib/harness.h"
#include "lib/tree.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PROGRAM "build/guest/net_unix"
#define INET_PROGRAM "build/guest/net_inet"
#define NETLINK_PROGRAM "build/guest/net_netlink"
#define IOCTL_PROGRAM "build/guest/net_ioctl"

/* ------------------------------------------------------------- services of the host */

static int service(int type, unsigned int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(s >= 0);
	assert_int_equal(bind(s, (void *)&a, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(s, 5), 0);
	assert_int_equal(getsockname(s, (void *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return s;
}

static bool was_reached(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void *answer_one(void *arg)
{
	char text[16] = "";
	int c = accept(*(int *)arg, NULL, NULL);

	if (c >= 0 && read(c, text, sizeof(text)) == 5 && !strcmp(text, "hello") && write(c, "welcome", 7) != 7)
		abort();
	close(c);
	return NULL;
}

static char *number(unsigned int n)
{
	static char text[4][16];
	static unsigned int next;
	char *to = text[next++ % 4];

	snprintf(to, sizeof(text[0]), "%u", n);
	return to;
}

static char *with_port(const char *before, unsigned int port)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s%u", before, port);
	return text;
}

/* ------------------------------------------------------------- UNIX sockets */

static void pairs_and_messages_are_as_on_linux(void **state)
{
	const char *const *const nets[] = { NULL, LIST("--net", "loopback"), LIST("--net", "host") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nets); i++)
		assert_same_as_native(&(struct run_opts){ .options = nets[i] }, LIST(UNIX_PROGRAM, "pairs"));
}

static void nothing(const char *dir)
{
	(void)dir;
}

static void names_are_the_guests_own(void **state)
{
	static const char *const parts[] = { "names", "processes" };
	const char *const *const nets[] = { NULL, LIST("--net", "loopback"), LIST("--net", "host") };
	char *base = tree_new(), *dir = NULL, *program = realpath(UNIX_PROGRAM, NULL);

	(void)state;
	assert_true(asprintf(&dir, "%s/d", base) > 0);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(nets); i++) {
		struct run_opts opts = { .options = nets[i / 2] };
		struct run_result r = run_same_writing(dir, nothing, &opts, LIST(program, parts[i % 2]));

		assert_int_equal(r.status, 0);
		run_free(&r);
		remove_written(dir);
	}
	tree_remove(base);
	free(program);
	free(dir);
	free(base);
}

static void a_private_tmp_holds_sockets(void **state)
{
	struct run_result r = run_kvmrun(LIST("--tmp", "--cwd", "/tmp"), LIST(UNIX_PROGRAM, "names"));

	(void)state;
	assert_status(&r, 0);
	assert_non_null(strstr(r.out, "server: length 8 family 1 path two/s\n"));
	run_free(&r);
}

static void a_service_is_reached_through_a_writable_grant_only(void **state)
{
	char *base = tree_new();
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[200];
	struct run_result r;

	(void)state;
	snprintf(path, sizeof(path), "%s/service", base);
	assert_true(strlen(path) < sizeof(addr.sun_path));
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(s, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(s, 5), 0);

	r = run_kvmrun(NULL, LIST(UNIX_PROGRAM, "reach", path));
	assert_out(&r, "connect: ENOENT\n");
	run_free(&r);
	r = run_kvmrun(LIST("--explain", "--ro", base, "--tmp"), LIST(UNIX_PROGRAM, "reach", path));
	assert_out(&r, "connect: EACCES\n");
	assert_err_line(&r, "is read-only for the program; --rw on it");
	run_free(&r);
	assert_false(was_reached(s));
	r = run_kvmrun(LIST("--rw", base), LIST(UNIX_PROGRAM, "reach", "/../../service"));
	assert_out(&r, "connect: ENOENT\n");
	run_free(&r);
	assert_false(was_reached(s));
	{
		struct run_opts opts = { .options = LIST("--rw", base) };
		struct running *running = run_start_kvmrun(&opts, LIST(UNIX_PROGRAM, "reach", path));
		int c = accept(s, NULL, NULL);

		assert_true(c >= 0);
		assert_int_equal(write(c, "welcome", 7), 7);
		close(c);
		r = run_finish(running);
		assert_out(&r, "connect: 0\nread: 7\nwelcome\n");
		run_free(&r);
	}
	close(s);
	tree_remove(base);
	free(base);
}

/* ------------------------------------------------------------- --net */

static void a_loopback_is_as_on_linux(void **state)
{
	(void)state;
	assert_same_as_native(&(struct run_opts){ .options = LIST("--net", "loopback") }, LIST(INET_PROGRAM, "self"));
	assert_same_as_native(&(struct run_opts){ .options = LIST("--net", "host") }, LIST(INET_PROGRAM, "self"));
}

static void interfaces_are_told_as_on_linux(void **state)
{
	(void)state;
	assert_same_as_native(&(struct run_opts){ .options = LIST("--net", "loopback") }, LIST(NETLINK_PROGRAM));
	assert_same_as_native(&(struct run_opts){ .options = LIST("--net", "host") }, LIST(NETLINK_PROGRAM));
	assert_same_as_native(&(struct run_opts){ .options = LIST("--net", "loopback") }, LIST(IOCTL_PROGRAM));
	assert_same_as_native(&(struct run_opts){ .options = LIST("--net", "host") }, LIST(IOCTL_PROGRAM));
}

static void threat_17_the_hosts_interfaces_are_not_told_nor_changed(void **state)
{
	struct run_result r = run_kvmrun(NULL, LIST(NETLINK_PROGRAM, "interfaces"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "interface 1 lo\nlo: flags 0x8, family 17, data 1\n");
	run_free(&r);
	r = run_kvmrun(LIST("--net", "loopback"), LIST(NETLINK_PROGRAM, "changes"));
	assert_status(&r, 0);
	assert_out(&r, "set: error EPERM\ndelete: error EPERM\nto a group: EPERM\ntoo short: 44\ntoo long: 44\n"
		   "an attribute that is too long: error EINVAL\none that is too short: error EINVAL\n"
		   "a name without end: error EINVAL\n");
	run_free(&r);
}

#define UNREACHABLE \
	"connect: ENETUNREACH\ndatagram connect: ENETUNREACH\nsendto: ENETUNREACH\nsendmsg: ENETUNREACH\n" \
	"fast open: ENETUNREACH\nsendto of no family: EAFNOSUPPORT\nIPv6: ENETUNREACH\nmapped: ENETUNREACH\n"
#define REFUSED_ALWAYS \
	"raw: EPERM\nnetlink: 0\npacket: EAFNOSUPPORT\nvsock: EAFNOSUPPORT\n"
#define NO_ABSTRACT "abstract connect: ECONNREFUSED\nabstract bind: EACCES\nautobind: EACCES\n"

static void threat_17_without_a_network_sockets_lead_nowhere(void **state)
{
	unsigned int port, udp;
	int s = service(SOCK_STREAM, &port), d = service(SOCK_DGRAM, &udp);
	/* a writable grant makes the jail wider */
	const char *const *const options[] = { NULL, LIST("--tmp") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct run_result r = run_kvmrun(options[i], LIST(INET_PROGRAM, "tries", number(port)));

		assert_status(&r, 0);
		assert_out(&r, UNREACHABLE "bind: EADDRNOTAVAIL\nlisten without bind: EADDRNOTAVAIL\n" NO_ABSTRACT
			   REFUSED_ALWAYS);
		run_free(&r);
		r = run_kvmrun(options[i], LIST(INET_PROGRAM, "send", number(udp)));
		assert_out(&r, "connect: ENETUNREACH\n");
		run_free(&r);
	}
	assert_false(was_reached(s));
	assert_false(was_reached(d));
	close(s);
	close(d);
}

static void a_loopback_of_ones_own_is_not_the_hosts(void **state)
{
	unsigned int port, udp;
	int s = service(SOCK_STREAM, &port), d = service(SOCK_DGRAM, &udp);
	struct run_result r = run_kvmrun(LIST("--net", "loopback"), LIST(INET_PROGRAM, "tries", number(port)));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "connect: ECONNREFUSED\ndatagram connect: 0\nsendto: 1\nsendmsg: ECONNREFUSED\n"
		   "fast open: ECONNREFUSED\nsendto of no family: EAFNOSUPPORT\nIPv6: ECONNREFUSED\nmapped: ECONNREFUSED\n"
		   "bind: 0\nlisten without bind: 0\nabstract connect: ECONNREFUSED\nabstract bind: 0\nautobind: 0\n"
		   REFUSED_ALWAYS);
	run_free(&r);
	r = run_kvmrun(LIST("--net", "loopback"), LIST(INET_PROGRAM, "send", number(udp)));
	assert_out(&r, "recv: ECONNREFUSED\n\n");
	run_free(&r);
	assert_false(was_reached(s));
	assert_false(was_reached(d));
	close(s);
	close(d);
}

static void only_what_is_listed_can_be_connected_to(void **state)
{
	unsigned int port, other;
	int s = service(SOCK_STREAM, &port), o = service(SOCK_STREAM, &other);
	const char *const *options;
	struct run_result r;
	pthread_t thread;

	(void)state;
	options = LIST("--net", with_port("connect=localhost:", port));
	assert_int_equal(pthread_create(&thread, NULL, answer_one, &s), 0);
	r = run_kvmrun(options, LIST(INET_PROGRAM, "connect", number(port)));
	assert_status(&r, 0);
	assert_out(&r, "recv: 7\nwelcome\n");
	run_free(&r);
	pthread_join(thread, NULL);
	r = run_kvmrun(options, LIST(INET_PROGRAM, "tries", number(other)));
	assert_out(&r, UNREACHABLE "bind: EACCES\nlisten without bind: EACCES\n" NO_ABSTRACT REFUSED_ALWAYS);
	run_free(&r);
	r = run_kvmrun(options, LIST(INET_PROGRAM, "listen", number(port)));
	assert_out(&r, "bind: EACCES\n");
	run_free(&r);
	assert_false(was_reached(o));
	close(s);
	close(o);
}

static void only_a_listed_port_can_be_listened_at(void **state)
{
	unsigned int port, other;
	int s = service(SOCK_STREAM, &port), o = service(SOCK_STREAM, &other), c;
	struct run_opts opts = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct running *running;
	struct run_result r;
	char text[8] = "";

	(void)state;
	/* the port is free again, and nobody's for now */
	close(s);
	opts.options = LIST("--net", with_port("listen=", port));
	running = run_start_kvmrun(&opts, LIST(INET_PROGRAM, "listen", number(port)));
	assert_true(run_wait_for(running, "listening"));
	c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a.sin_port = htons(port);
	assert_int_equal(connect(c, (void *)&a, sizeof(a)), 0);
	assert_int_equal(send(c, "echo", 4, 0), 4);
	assert_int_equal(recv(c, text, 4, MSG_WAITALL), 4);
	assert_string_equal(text, "echo");
	close(c);
	r = run_finish(running);
	assert_status(&r, 0);
	run_free(&r);
	r = run_kvmrun(opts.options, LIST(INET_PROGRAM, "tries", number(other)));
	assert_out(&r, UNREACHABLE "bind: EACCES\nlisten without bind: EACCES\n" NO_ABSTRACT REFUSED_ALWAYS);
	run_free(&r);
	assert_false(was_reached(o));
	close(o);
}

static void the_host_is_reached_when_it_is_granted(void **state)
{
	unsigned int port;
	int s = service(SOCK_STREAM, &port);
	struct run_result r;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, answer_one, &s), 0);
	r = run_kvmrun(LIST("--net", "host"), LIST(INET_PROGRAM, "connect", number(port)));
	assert_status(&r, 0);
	assert_out(&r, "recv: 7\nwelcome\n");
	run_free(&r);
	pthread_join(thread, NULL);
	close(s);
}

static void a_host_that_has_no_address_is_one_line(void **state)
{
	struct run_result r = run_kvmrun(LIST("--net", "connect=kvmrun.invalid:80"), LIST(INET_PROGRAM, "self"));

	(void)state;
	assert_status(&r, 125);
	assert_err_line(&r, "--net connect=kvmrun.invalid:80: cannot look kvmrun.invalid up: ");
	run_free(&r);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_and_messages_are_as_on_linux),
		cmocka_unit_test(names_are_the_guests_own),
		cmocka_unit_test(a_private_tmp_holds_sockets),
		cmocka_unit_test(a_service_is_reached_through_a_writable_grant_only),
		cmocka_unit_test(a_loopback_is_as_on_linux),
		cmocka_unit_test(interfaces_are_told_as_on_linux),
		cmocka_unit_test(threat_17_the_hosts_interfaces_are_not_told_nor_changed),
		cmocka_unit_test(threat_17_without_a_network_sockets_lead_nowhere),
		cmocka_unit_test(a_loopback_of_ones_own_is_not_the_hosts),
		cmocka_unit_test(only_what_is_listed_can_be_connected_to),
		cmocka_unit_test(only_a_listed_port_can_be_listened_at),
		cmocka_unit_test(the_host_is_reached_when_it_is_granted),
		cmocka_unit_test(a_host_that_has_no_address_is_one_line),
	};

	return harness_main(argc, argv, "net", tests, ARRAY_SIZE(tests), NULL, NULL);
}
