/* SPDX-License-Identifier: GPL-2.0-only */
/* Message queues, shared memory and semaphores: tests/guest/ipc_*.c, and that they are the program's own. */
#include "lib/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#define MQ(...) LIST("build/guest/ipc_mq", __VA_ARGS__)
#define SHM(...) LIST("build/guest/ipc_shm", __VA_ARGS__)
#define SEM(...) LIST("build/guest/ipc_sem", __VA_ARGS__)
#define MSG(...) LIST("build/guest/ipc_msg", __VA_ARGS__)

struct row {
	const char *name;
	const char *const *argv;
	const char *out;	/* what its output contains; it contains no ": NO" */
	const char *const *slow;	/* on an emulated machine less of what takes long */
};

static void run_row(void **state)
{
	const struct row *row = *state;
	const struct run_opts opts = { .options = LIST("--ro", ".", "--mem", "256M") };
	struct run_result native = run_same(&opts, row->slow && run_slow() ? row->slow : row->argv);

	if (native.signal || native.status || strstr(native.out, ": NO\n") || !strstr(native.out, row->out)) {
		run_show("the native run", &native);
		fail_msg("not what was expected: \"%s\"", row->out);
	}
	run_free(&native);
}

static const struct row rows[] = {
	/* POSIX message queues */
	{ "mq_messages_come_by_priority_and_age", MQ("ordered"), "\"low again\" of 1\n", NULL },
	{ "mq_calls_fail_as_on_linux", MQ("errors"), "may not be read: EACCES", NULL },
	{ "mq_there_are_256_queues_and_819200_bytes", MQ("limits"), "9 of 10 messages of 8192 bytes\none more: ENOSPC\n256 small ones", NULL },
	{ "mq_descriptors_are_polled", MQ("ready"), "full: 1\nselect: 1\n1 0\n", NULL },
	{ "mq_a_queue_is_a_file", MQ("as-file"), "60: QSIZE:5          NOTIFY:0 ", NULL },
	{ "mq_waits_end_by_time_and_signal", MQ("waits"), "interrupted: EINTR\nmade again: ETIMEDOUT\n", NULL },
	{ "mq_200_messages_there_and_back", MQ("between"), "0 wrong, ended with 7", NULL },
	{ "mq_another_process_is_polled_awake", MQ("polled-between"), "ended with 11\nempty again: 4", NULL },
	{ "mq_descriptors_are_inherited", MQ("inherits"), "16 \"the nameless one\" of 0\nended with 5", NULL },
	{ "mq_who_is_killed_waiting_leaves_nothing", MQ("killed-in-a-wait"), "ended with 1009\nafter that: 0", MQ("killed-in-a-wait", "1500") },
	{ "mq_signals_tell_of_a_message", MQ("notified"), "told 1: signo 10 code -3 value 42, by whom it was", MQ("notified", "1500") },
	{ "mq_threads_are_told_of_a_message", MQ("notified-by-thread"), "told 9\n", NULL },

	/* shared memory */
	{ "shm_a_segments_state_is_told", SHM("state"), "mode 3640, key 0", NULL },
	{ "shm_segments_have_keys", SHM("keys"), "found too small: EINVAL", NULL },
	{ "shm_calls_fail_as_on_linux", SHM("errors"), "made writable: EACCES", NULL },
	{ "shm_a_segment_can_be_read_only", SHM("read-only"), "a write: 1011", NULL },
	{ "shm_pieces_go_and_move", SHM("pieces"), "attached 2 and 1", NULL },
	{ "shm_processes_share_it_whatever_was_first", SHM("between"), "sum 3005, attached 1", NULL },
	{ "shm_execve_detaches", SHM("executed"), "ended with 0\nattached 1", NULL },
	{ "shm_there_are_4096_segments", SHM("limits"), "one more: ENOSPC\n4096 segments", NULL },

	/* semaphores */
	{ "sem_a_sets_state_is_told", SEM("state"), "0 2 32767", NULL },
	{ "sem_calls_fail_as_on_linux", SEM("errors"), "501 operations: E2BIG", NULL },
	{ "sem_all_operations_or_none", SEM("all-or-none"), "the second has nothing: EAGAIN", NULL },
	{ "sem_waits_end_and_are_counted", SEM("waits"), "2 0, 0 1\n", NULL },
	{ "sem_threads_wait_on_their_own", SEM("threads"), "three up: 0\n0\n0\n0\n", NULL },
	{ "sem_4_processes_count_together", SEM("excludes"), "counted: yes", SEM("excludes", "100") },
	{ "sem_what_a_process_did_is_undone_at_its_end", SEM("undone"), "killed: 1009\nall: 0\n5 6\n", NULL },
	{ "sem_what_is_undone_wakes_who_waits", SEM("undone-for-who-waits"), "waited: 0, killed: 1009", NULL },
	{ "sem_there_are_32000_sets_and_as_many_in_one", SEM("limits"), "32000 set: 0\n32000 read: 0\nthe last: 0\n0 wrong", SEM("limits", "3000") },

	/* message queues */
	{ "msg_a_queues_state_is_told", MSG("state"), "one too many: EAGAIN", NULL },
	{ "msg_messages_are_chosen_by_type", MSG("types"), "copy of number 2: 1 \"c\" of type 9", NULL },
	{ "msg_messages_have_their_sizes", MSG("sizes"), "room for some: 4 \"a lo\" of type 4", NULL },
	{ "msg_calls_fail_as_on_linux", MSG("errors"), "more bytes: EPERM", NULL },
	{ "msg_waits_end", MSG("waits"), "removed under them: EIDRM\nremoved under them: EIDRM", MSG("waits", "1500") },
	{ "msg_200_messages_there_and_back", MSG("between"), "0 wrong, ended with 7", NULL },
	{ "msg_there_are_32000_queues", MSG("limits"), "0 wrong", MSG("limits", "3000") },
};

static void shared_memory_is_bounded_by_mem(void **state)
{
	struct run_result r = run_kvmrun(LIST("--mem", "70M"), SHM("bytes"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "another 40 MiB: ENOMEM\nanother 20 MiB: yes\nremoved: 0\nwhile it is attached: ENOMEM\ndetached: 0\n"
		       "zeros where there were none: yes\nvast: ENOMEM\nremoved: 0\n");
	run_free(&r);
}

static void messages_are_bounded(void **state)
{
	struct run_result r = run_kvmrun(NULL, MSG("memory"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "ENOMEM after some 3,900 messages of 8 KiB\nand again: 0\n");
	run_free(&r);
}

/* What the host has is not the program's, nor what another program has. */
static void nothing_of_the_hosts_is_seen(void **state)
{
	int shm = shmget(0x4b564d01, 4096, IPC_CREAT | 0666), sem = semget(0x4b564d11, 1, IPC_CREAT | 0666);
	int msg = msgget(0x4b564d21, IPC_CREAT | 0666);
	struct run_result r[3];

	(void)state;
	assert_true(shm >= 0 && sem >= 0 && msg >= 0);
	/* each begins by making one of its key, O_EXCL */
	r[0] = run_kvmrun(NULL, SHM("keys"));
	r[1] = run_kvmrun(NULL, SEM("errors"));
	r[2] = run_kvmrun(NULL, MSG("errors"));
	shmctl(shm, IPC_RMID, NULL);
	semctl(sem, 0, IPC_RMID);
	msgctl(msg, IPC_RMID, NULL);
	for (int i = 0; i < 3; i++) {
		assert_status(&r[i], 0);
		assert_non_null(strstr(r[i].out, "found: yes\n"));
		assert_null(strstr(r[i].out, ": NO\n"));
		run_free(&r[i]);
	}
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + 3] = {
		cmocka_unit_test(shared_memory_is_bounded_by_mem),
		cmocka_unit_test(messages_are_bounded),
		cmocka_unit_test(nothing_of_the_hosts_is_seen),
	};
	size_t n = 3;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						  .initial_state = (void *)&rows[i] };
	return harness_main(argc, argv, "ipc", tests, n, NULL, NULL);
}
