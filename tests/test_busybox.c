/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian's busybox-static, applet by applet: status, stdout, stderr and the
 * files left behind are those of a native run. Each row below is a test.
 *
 * Both runs see one directory by the same path, granted by --ro, or by --rw
 * and made afresh for each run. Nothing here forks, executes, uses threads
 * or the network, or prints what differs from run to run.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSYBOX "/bin/busybox"
#define MAX_ARGS 16

struct row {
	const char *name;
	const char *const *argv;	/* from the applet's name on */
	const char *in;			/* stdin; NULL: /dev/null */
	int status;			/* of the native run */
	bool writes;			/* --rw, and the trees are compared */
	bool any_stderr;
	const char *const *options;	/* further ones of kvmrun */
};

/* ROW(name, argv, the other fields by name) */
#define ROW(row_name, row_argv, ...) { .name = row_name, .argv = row_argv, __VA_ARGS__ }

static char own_id[24], own_group[24];
static char *base;		/* the temporary directory */
static char *dir;		/* base/d, the directory that both runs see */

#define TEXT \
	"The quick brown fox\njumps over\n\tthe lazy dog.\n" \
	"alpha,1,x\nbeta,22,y\ngamma,333,z\n" \
	"zeta 9\nZeta 10\neta 9\neta 9\n\nlast line, without end"
#define PATCH \
	"--- a/words\n+++ b/words\n@@ -1,3 +1,3 @@\n pear\n-apple\n+apricot\n fig\n"
#define PACKED_TEXT "packed text\nof two lines\n"
#define ARCHIVE \
	"!<arch>\n" \
	"one/            1000000000  0     0     100644  4         `\nabc\n" \
	"two/            1000000000  0     0     100644  6         `\nhello\n"

/* PACKED_TEXT by xz and by xz --format=lzma. */
static const unsigned char packed_xz[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00,
	0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x18, 0x70,
	0x61, 0x63, 0x6b, 0x65, 0x64, 0x20, 0x74, 0x65, 0x78, 0x74, 0x0a, 0x6f, 0x66, 0x20,
	0x74, 0x77, 0x6f, 0x20, 0x6c, 0x69, 0x6e, 0x65, 0x73, 0x0a, 0x00, 0x00, 0x00, 0x00,
	0xa0, 0xe9, 0xe2, 0x2b, 0x6e, 0x79, 0x86, 0xd6, 0x00, 0x01, 0x31, 0x19, 0x59, 0x1a,
	0xb0, 0x82, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};
static const unsigned char packed_lzma[] = {
	0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
	0x38, 0x18, 0x48, 0x99, 0xcd, 0x5c, 0x1c, 0x25, 0x42, 0xa8, 0x6e, 0xbb, 0x64, 0x9a,
	0x54, 0x15, 0x4e, 0x5a, 0x8b, 0xad, 0xfa, 0x13, 0xbf, 0x79, 0x0d, 0x4b, 0x38, 0x37,
	0x3d, 0xff, 0xff, 0xc2, 0xa3, 0x40, 0x00,
};

/* Archives made natively, once. */
static struct {
	const char *name;
	const char *const *argv;
	const char *in;
	char *data;
	size_t len;
} archives[] = {
	{ .name = "files.tar", .argv = LIST(BUSYBOX, "tar", "cf", "-", "text", "words", "sub", "link") },
	{ .name = "files.cpio", .argv = LIST(BUSYBOX, "cpio", "-o", "-H", "newc"),
	  .in = "text\nwords\nsub\nsub/one\nlink\n" },
	{ .name = "data.gz", .argv = LIST(BUSYBOX, "gzip", "-nc", "data") },
	{ .name = "data.bz2", .argv = LIST(BUSYBOX, "bzip2", "-c", "data") },
};

#define READ_PASSWD LIST("--ro", "/etc/passwd", "--ro", "/etc/group")

static const struct row rows[] = {
	/* Checksums and dumps */
	ROW("md5sum_of_files", LIST("md5sum", "text", "data", "empty")),
	ROW("sha1sum_of_files", LIST("sha1sum", "text", "data")),
	ROW("sha256sum_of_files", LIST("sha256sum", "text", "data", "empty")),
	ROW("sha256sum_of_stdin", LIST("sha256sum"), .in = TEXT),
	ROW("sha512sum_of_files", LIST("sha512sum", "data", "text")),
	ROW("sha3sum_of_a_file", LIST("sha3sum", "data")),
	ROW("sha256sum_check_fails_on_a_wrong_sum", LIST("sha256sum", "-c"), .status = 1,
	  .in = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  text\n"),
	ROW("crc32_of_a_file", LIST("crc32", "data")),
	ROW("hexdump_of_binary_data", LIST("hexdump", "-C", "data")),
	ROW("hexdump_skips_and_limits", LIST("hexdump", "-s", "1000", "-n", "99", "-x", "data")),
	ROW("od_of_binary_data", LIST("od", "-A", "d", "-t", "x2", "data")),
	ROW("od_of_dev_zero", LIST("od", "-N", "16", "/dev/zero")),
	ROW("xxd_of_binary_data", LIST("xxd", "data")),
	ROW("xxd_back_from_hex", LIST("xxd", "-r", "-p"), .in = "00ff10414243\n"),
	ROW("strings_in_binary_data", LIST("strings", "-n", "6", "data")),
	ROW("base64_encodes", LIST("base64", "data")),
	ROW("base64_decodes", LIST("base64", "-d"), .in = "AP8QQUJD\n"),
	ROW("uuencode_of_stdin", LIST("uuencode", "name"), .in = TEXT),

	/* Text */
	ROW("cat_of_files_and_stdin", LIST("cat", "text", "-", "data"), .in = "between\n"),
	ROW("cat_numbers_lines", LIST("cat", "-n", "text")),
	ROW("cat_of_a_missing_file", LIST("cat", "missing", "text"), .status = 1),
	ROW("cat_of_a_directory", LIST("cat", "sub"), .status = 1),
	ROW("cat_of_dev_null", LIST("cat", "/dev/null")),
	ROW("cat_through_a_symlink", LIST("cat", "link")),
	ROW("cat_of_a_dangling_symlink", LIST("cat", "dangling"), .status = 1),
	ROW("tac_reverses_lines", LIST("tac", "words")),
	ROW("rev_reverses_characters", LIST("rev", "text")),
	ROW("head_of_a_file", LIST("head", "-n", "3", "text")),
	ROW("head_bytes_of_dev_zero", LIST("head", "-c", "70000", "/dev/zero")),
	ROW("head_with_names_of_files", LIST("head", "-n", "1", "text", "words")),
	ROW("tail_of_a_file", LIST("tail", "-n", "3", "text")),
	ROW("tail_from_a_byte_on", LIST("tail", "-c", "+9000", "data")),
	ROW("tail_of_stdin", LIST("tail", "-n", "1"), .in = TEXT),
	ROW("wc_counts", LIST("wc", "text", "words", "data", "empty")),
	ROW("wc_of_stdin", LIST("wc", "-l"), .in = TEXT),
	ROW("nl_numbers_lines", LIST("nl", "text")),
	ROW("cut_by_fields", LIST("cut", "-d", ",", "-f", "1,3", "text")),
	ROW("cut_by_bytes", LIST("cut", "-c", "2-5", "text")),
	ROW("paste_joins_files", LIST("paste", "-d", ":", "text", "words")),
	ROW("fold_wraps", LIST("fold", "-w", "11", "-s", "text")),
	ROW("expand_tabs", LIST("expand", "text")),
	ROW("unexpand_blanks", LIST("unexpand", "-a"), .in = "a               b\n        c\n"),
	ROW("tr_translates", LIST("tr", "a-z", "A-Z"), .in = TEXT),
	ROW("tr_squeezes_and_deletes", LIST("tr", "-s", "e9"), .in = "geese 9999 sees\n"),
	ROW("sort_by_text", LIST("sort", "text")),
	ROW("sort_by_number_in_reverse", LIST("sort", "-k", "2", "-n", "-r", "text")),
	ROW("sort_of_files_and_stdin", LIST("sort", "-u", "words", "-"), .in = "zzz\nabc\nfig\n"),
	ROW("sort_check_fails_on_disorder", LIST("sort", "-c", "words"), .status = 1),
	ROW("uniq_counts", LIST("uniq", "-c", "text")),
	ROW("grep_finds", LIST("grep", "-n", "eta", "text", "words")),
	ROW("grep_finds_nothing", LIST("grep", "nothing", "text"), .status = 1),
	ROW("grep_in_a_tree", LIST("grep", "-r", "one", "sub")),
	ROW("grep_of_a_missing_file", LIST("grep", "x", "missing"), .status = 2),
	ROW("egrep_alternatives", LIST("egrep", "-o", "(quick|la?zy|[0-9]{2,})", "text")),
	ROW("fgrep_fixed_text", LIST("fgrep", "-c", "a,1", "text")),
	ROW("sed_substitutes", LIST("sed", "-e", "s/\\([a-z]*\\),\\([0-9]*\\)/\\2 \\1/", "-e", "/^$/d", "text")),
	ROW("sed_prints_ranges", LIST("sed", "-n", "/jumps/,/beta/{=;p}", "text")),
	ROW("sed_with_a_bad_script", LIST("sed", "s/x", "text"), .status = 1),
	ROW("awk_sums_fields", LIST("awk", "-F,", "NF == 3 { n += $2; k[$3]++ } "
				  "END { printf \"%d %.3f %s\\n\", n, n / 7, length(k) }", "text")),
	ROW("awk_reads_lines_by_getline", LIST("awk", "BEGIN { while ((getline l < \"words\") > 0) "
					     "print toupper(l), substr(l, 2, 3) }")),
	ROW("awk_computes", LIST("awk", "BEGIN { for (i = 0; i < 20000; i++) s += i * i % 7 / 3; "
			       "printf \"%.9f %s\\n\", s, index(\"hypervisor\", \"visor\") }")),
	ROW("ed_edits_to_stdout", LIST("ed", "text"), .in = "2p\n$=\n1,3s/o/0/\n1,3p\nQ\n"),
	ROW("more_of_a_file_to_a_pipe", LIST("more", "text")),
	ROW("diff_of_equal_files", LIST("diff", "text", "text")),
	ROW("diff_of_two_files", LIST("diff", "-u", "-L", "a", "-L", "b", "words", "sub/one"), .status = 1),
	ROW("diff_of_trees", LIST("diff", "-rq", "sub", "sub2"), .status = 1),
	ROW("cmp_of_equal_files", LIST("cmp", "text", "text")),
	ROW("cmp_of_different_files", LIST("cmp", "text", "words"), .status = 1),
	ROW("dos2unix_of_stdin", LIST("dos2unix"), .in = "a\r\nb\r\n"),
	ROW("unix2dos_of_stdin", LIST("unix2dos"), .in = "a\nb\n"),
	ROW("ts_prefixes_lines", LIST("ts", "prefix"), .in = "a\nb\n"),
	ROW("echo_with_escapes", LIST("echo", "-e", "a\\tb\\x41\\n")),
	ROW("printf_formats", LIST("printf", "%5d|%-5s|%x|%c|%.2f\\n", "42", "ab", "255", "z", "3.14159")),
	ROW("seq_counts", LIST("seq", "-w", "8", "3", "20")),
	ROW("factor_of_numbers", LIST("factor", "1", "97", "1001", "4294967291")),

	/* Files */
	ROW("ls_of_a_tree", LIST("ls", "-R")),
	ROW("ls_long_with_numbers", LIST("ls", "-lAn")),
	ROW("ls_long_with_names", LIST("ls", "-l"), .options = READ_PASSWD),
	ROW("ls_with_inodes_and_types", LIST("ls", "-1iF")),
	ROW("ls_of_a_missing_file", LIST("ls", "missing"), .status = 1),
	ROW("ls_of_a_directory_of_300_files", LIST("ls", "-1", "many")),
	ROW("find_by_type", LIST("find", ".", "-type", "f")),
	ROW("find_by_name_size_and_depth", LIST("find", ".", "-maxdepth", "2", "-name", "*t*", "-size", "-2")),
	ROW("find_symlinks", LIST("find", ".", "-type", "l", "-print0")),
	ROW("stat_of_files", LIST("stat", "-c", "%n %s %f %F %h %i %u %g %y", "text", "sub", "link", "empty")),
	ROW("stat_follows_a_symlink", LIST("stat", "-L", "-c", "%n %s %F", "link")),
	ROW("du_counts_a_tree", LIST("du", "-a", "sub")),
	ROW("readlink_of_a_symlink", LIST("readlink", "link")),
	ROW("readlink_to_the_end", LIST("readlink", "-f", "sub/../link")),
	ROW("readlink_of_no_symlink", LIST("readlink", "text"), .status = 1),
	ROW("realpath_of_paths", LIST("realpath", "sub/./one", "link")),
	ROW("basename_of_a_path", LIST("basename", "/a/b/c.txt", ".txt")),
	ROW("dirname_of_a_path", LIST("dirname", "/a/b/c.txt")),
	ROW("pwd_is_the_granted_directory", LIST("pwd")),
	ROW("test_of_a_file", LIST("test", "-f", "text")),
	ROW("test_of_a_missing_file", LIST("test", "-e", "missing"), .status = 1),
	ROW("bracket_compares_times", LIST("[", "text", "-nt", "words", "]"), .status = 1),

	/* Archives */
	ROW("tar_lists", LIST("tar", "tvf", "files.tar")),
	ROW("tar_creates_to_stdout", LIST("tar", "cf", "-", "sub", "text", "link"), .options = READ_PASSWD),
	ROW("tar_extracts_to_stdout", LIST("tar", "xOf", "files.tar", "text")),
	ROW("tar_of_garbage", LIST("tar", "tf", "data"), .status = 1),
	ROW("cpio_lists", LIST("cpio", "-itv", "-F", "files.cpio")),
	ROW("cpio_creates_to_stdout", LIST("cpio", "-o", "-H", "newc"), .in = "text\nsub\nsub/one\nlink\n"),
	ROW("ar_lists", LIST("ar", "t", "archive.a")),
	ROW("ar_prints_a_member", LIST("ar", "p", "archive.a", "two")),
	ROW("gzip_to_stdout", LIST("gzip", "-9nc", "data")),
	ROW("gunzip_to_stdout", LIST("gunzip", "-c", "data.gz")),
	ROW("gunzip_of_a_broken_file", LIST("gunzip", "-c", "text"), .status = 1),
	ROW("bzip2_to_stdout", LIST("bzip2", "-c", "data")),
	ROW("bunzip2_to_stdout", LIST("bunzip2", "-c", "data.bz2")),
	ROW("bzcat_of_a_file", LIST("bzcat", "data.bz2")),
	ROW("xzcat_of_a_file", LIST("xzcat", "packed.xz")),
	ROW("lzcat_of_a_file", LIST("lzcat", "packed.lzma")),

	/* The machine and the process, as far as they do not tell the host */
	ROW("true_is_0", LIST("true")),
	ROW("false_is_1", LIST("false"), .status = 1),
	ROW("env_has_the_default_variables_only", LIST("env")),
	ROW("id_of_the_user", LIST("id"), .options = READ_PASSWD),
	ROW("whoami_by_etc_passwd", LIST("whoami"), .options = READ_PASSWD),
	ROW("tty_is_none", LIST("tty"), .status = 1),
	ROW("stty_needs_a_tty", LIST("stty"), .status = 1),
	ROW("date_of_a_given_second", LIST("date", "-u", "-d", "@1000000000", "+%Y-%m-%d %H:%M:%S %j %a")),
	ROW("date_of_a_file", LIST("date", "-r", "text", "+%s")),
	ROW("date_with_a_zone", LIST("date", "-d", "@1000000000"), .options = LIST("--env", "TZ=UTC0")),
	ROW("cal_of_a_month", LIST("cal", "9", "2001")),
	ROW("sleep_for_a_moment", LIST("sleep", "0.05")),
	ROW("usleep_for_a_moment", LIST("usleep", "50000")),
	ROW("kill_lists_signals", LIST("kill", "-l")),
	ROW("mkpasswd_hashes", LIST("mkpasswd", "-m", "sha512", "-S", "saltsalt", "secret")),
	ROW("ipcalc_of_a_network", LIST("ipcalc", "-bnm", "192.168.7.9/20")),
	ROW("getopt_parses", LIST("getopt", "-o", "ab:", "--", "-b", "x y", "-a", "rest")),
	ROW("expr_computes", LIST("expr", "6", "*", "7")),
	ROW("expr_matches", LIST("expr", "hypervisor", ":", "hyper\\(.*\\)")),
	ROW("bc_of_big_numbers", LIST("bc"), .in = "2^200\nscale=60\nsqrt(2)\nobase=16\n10^30\n"),
	ROW("dc_of_big_numbers", LIST("dc"), .in = "7 100 ^ p 16 o p\n"),
	ROW("run_parts_lists", LIST("run-parts", "--test", "sub")),
	ROW("clear_the_screen", LIST("clear")),
	ROW("an_unknown_applet", LIST("no-such-applet"), .status = 127),
	ROW("an_unknown_option", LIST("cat", "--no-such-option"), .status = 1),
	ROW("the_list_of_applets", LIST("--list")),

	/* The shell, builtins only */
	ROW("sh_computes_and_changes_directory", LIST("sh", "-c", "echo $((6 * 7)); cd sub && pwd")),
	ROW("sh_loops_and_functions",
	  LIST("sh", "-c", "f() { local i=$1; [ $i -le 1 ] && r=1 || { f $((i - 1)); r=$((r * i)); }; }; "
	       "for n in 1 5 10; do f $n; echo $n! = $r; done")),
	ROW("sh_reads_a_file_by_redirection",
	  LIST("sh", "-c", "n=0; while read -r l; do n=$((n + 1)); echo \"$n:$l\"; done < text")),
	ROW("sh_duplicates_descriptors", LIST("sh", "-c", "exec 5>&1 1>&2; echo to stderr; echo to stdout >&5")),
	ROW("sh_expands_patterns", LIST("sh", "-c", "echo *; echo sub/o*; set -- */; echo $#")),
	ROW("sh_edits_strings", LIST("sh", "-c", "v=path/to/file.tar.gz; echo ${v##*/} ${v%%.*} ${#v} ${v/to/from}")),
	ROW("sh_case_and_getopts",
	  LIST("sh", "-c", "while getopts ab: o; do case $o in a) echo A;; b) echo B $OPTARG;; esac; done",
	       "sh", "-a", "-b", "val")),
	ROW("sh_exit_status", LIST("sh", "-c", "trap 'echo leaving' EXIT; exit 42"), .status = 42),
	ROW("sh_catches_its_own_signal", LIST("sh", "-c", "trap 'echo caught' USR1; kill -USR1 $$; echo after")),
	ROW("sh_dies_by_its_own_signal", LIST("sh", "-c", "echo before; kill -TERM $$; echo not here"),
	  .status = 128 + 15),
	ROW("sh_script_from_a_file", LIST("sh", "script.sh", "arg 1", "arg2"), .status = 7),
	ROW("sh_script_from_stdin", LIST("sh"), .in = "read x\nthis line\necho got \"$x\"\n"),
	ROW("sh_with_a_syntax_error", LIST("sh", "-c", "if then"), .status = 2),
	ROW("sh_default_variables", LIST("sh", "-c", "echo $PATH $TERM $LANG $TZ ${HOME-no home}")),
	ROW("sh_ulimit_of_descriptors", LIST("sh", "-c", "ulimit -n 20; ulimit -n")),

	/* What writes */
	ROW("sh_writes_to_files", LIST("sh", "-c", "echo one > new; echo two >> new; exec 7<new; read a <&7; "
				       "read b <&7; echo $b$a"), .writes = true),
	ROW("sh_umask_is_obeyed", LIST("sh", "-c", "umask 077; > private; umask 0; > public"), .writes = true),
	ROW("cp_a_file", LIST("cp", "data", "copy"), .writes = true),
	ROW("cp_keeping_times_and_modes", LIST("cp", "-p", "script.sh", "copy"), .writes = true),
	ROW("cp_a_tree", LIST("cp", "-a", "sub", "copy"), .writes = true),
	ROW("cp_into_a_missing_directory", LIST("cp", "text", "missing/x"), .status = 1, .writes = true),
	ROW("cp_over_a_file", LIST("cp", "empty", "data"), .writes = true),
	ROW("mv_a_file", LIST("mv", "text", "sub/moved"), .writes = true),
	ROW("mv_a_directory", LIST("mv", "sub", "moved"), .writes = true),
	ROW("mv_over_a_file", LIST("mv", "text", "data"), .writes = true),
	ROW("rm_files", LIST("rm", "text", "link", "dangling"), .writes = true),
	ROW("rm_a_tree", LIST("rm", "-r", "sub", "many"), .writes = true),
	ROW("rm_of_a_missing_file", LIST("rm", "missing"), .status = 1, .writes = true),
	ROW("rm_of_a_directory", LIST("rm", "sub"), .status = 1, .writes = true),
	ROW("unlink_a_file", LIST("unlink", "words"), .writes = true),
	ROW("mkdir_with_parents_and_mode", LIST("mkdir", "-p", "-m", "750", "a/b/c"), .writes = true),
	ROW("mkdir_over_a_file", LIST("mkdir", "text"), .status = 1, .writes = true),
	ROW("rmdir_with_parents", LIST("rmdir", "-p", "hollow/inner"), .writes = true),
	ROW("rmdir_of_a_full_directory", LIST("rmdir", "sub"), .status = 1, .writes = true),
	ROW("ln_hard", LIST("ln", "text", "hard"), .writes = true),
	ROW("link_two_names", LIST("link", "text", "hard"), .writes = true),
	ROW("ln_soft", LIST("ln", "-s", "sub/one", "soft"), .writes = true),
	ROW("ln_soft_replacing", LIST("ln", "-sf", "words", "link"), .writes = true),
	ROW("touch_new_and_old_files", LIST("touch", "new", "text"), .writes = true),
	ROW("touch_to_a_given_time", LIST("touch", "-d", "@946684800", "new", "sub"), .writes = true),
	ROW("chmod_by_number_and_letters", LIST("chmod", "-R", "u=rwX,go-rwx", "sub", "text"), .writes = true),
	ROW("chmod_of_a_missing_file", LIST("chmod", "644", "missing"), .status = 1, .writes = true),
	ROW("truncate_shrinks_and_grows", LIST("truncate", "-s", "5000", "text", "data", "new"), .writes = true),
	ROW("fallocate_grows", LIST("fallocate", "-l", "40000", "text"), .writes = true),
	ROW("tee_writes_and_passes_on", LIST("tee", "-a", "new", "text"), .in = TEXT, .writes = true),
	ROW("dd_copies_blocks", LIST("dd", "if=data", "of=new", "bs=1000", "skip=1", "seek=2", "count=3",
				   "status=none"), .writes = true),
	ROW("dd_overwrites_in_place", LIST("dd", "of=data", "bs=4", "seek=10", "conv=notrunc", "status=none"),
	  .in = "overwritten", .writes = true),
	ROW("dd_to_a_full_device", LIST("dd", "if=/dev/zero", "of=/dev/full", "count=1"), .status = 1,
	  .any_stderr = true),
	ROW("gzip_in_place", LIST("gzip", "-nf", "data", "text"), .writes = true),
	ROW("gunzip_in_place", LIST("gunzip", "-f", "data.gz"), .writes = true),
	ROW("bzip2_in_place", LIST("bzip2", "text"), .writes = true),
	ROW("bunzip2_keeping_the_input", LIST("bunzip2", "-kf", "data.bz2"), .writes = true),
	ROW("unxz_in_place", LIST("unxz", "packed.xz"), .writes = true),
	ROW("xz_decompresses_keeping", LIST("xz", "-dk", "packed.xz"), .writes = true),
	ROW("unlzma_in_place", LIST("unlzma", "packed.lzma"), .writes = true),
	ROW("tar_creates_a_file", LIST("tar", "cf", "new.tar", "sub", "words", "link"), .writes = true,
	  .options = READ_PASSWD),
	ROW("tar_extracts_into_a_directory", LIST("tar", "xf", "files.tar", "-C", "hollow"), .writes = true,
	  .options = READ_PASSWD),
	ROW("cpio_extracts_making_directories", LIST("cpio", "-idu", "-F", "files.cpio"), .writes = true),
	ROW("ar_extracts", LIST("ar", "x", "archive.a"), .writes = true),
	ROW("sed_in_place", LIST("sed", "-i", "s/o/0/g;$d", "text", "words"), .writes = true),
	ROW("sort_into_its_own_input", LIST("sort", "-o", "words", "words"), .writes = true),
	ROW("patch_applies", LIST("patch", "-p1"), .in = PATCH, .writes = true),
	ROW("patch_rejects", LIST("patch", "-p1", "-i", "../d/bad.patch"), .status = 1, .writes = true),
	ROW("uudecode_a_file", LIST("uudecode"), .in = "begin 640 decoded\n#86)C\n`\nend\n", .writes = true),
	ROW("dos2unix_in_place", LIST("dos2unix", "dos"), .writes = true),
	ROW("ed_writes", LIST("ed", "words"), .in = "1d\n$a\nadded\n.\nw\nq\n", .writes = true),
	ROW("shred_to_zeros", LIST("shred", "-n", "1", "-z", "text"), .writes = true),
	ROW("chown_to_oneself", LIST("chown", "-R", own_id, "text", "sub"), .writes = true),
	ROW("chgrp_to_oneself", LIST("chgrp", "-h", own_group, "link"), .writes = true),
	ROW("sh_does_not_overwrite_by_noclobber", LIST("sh", "-c", "set -C; > fixed && ! > fixed"), .writes = true),
	ROW("sync_a_file", LIST("sync", "text"), .writes = true),
	ROW("awk_writes_files", LIST("awk", "{ print > (NR % 2 ? \"odd\" : \"even\") }", "words"), .writes = true),
};

/* What both runs find in the directory. */
static void fill(const char *dir)
{
	char *data = mixed_data(20000);

	tree_file(dir, "text", TEXT, 0);
	tree_file(dir, "words", "pear\napple\nfig\nfig\nbanana\ncherry\n", 0);
	tree_file(dir, "data", data, 20000);
	tree_file(dir, "empty", "", 0);
	tree_file(dir, "dos", "one\r\ntwo\r\n", 0);
	tree_file(dir, "archive.a", ARCHIVE, 0);
	tree_file(dir, "bad.patch", PATCH "@@ -9,1 +9,1 @@\n-not there\n+at all\n", 0);
	tree_file(dir, "script.sh", "echo $# \"$1\" $2\nexit 7\n", 0);
	tree_file(dir, "packed.xz", packed_xz, sizeof(packed_xz));
	tree_file(dir, "packed.lzma", packed_lzma, sizeof(packed_lzma));
	tree_dir(dir, "sub", 0755);
	tree_file(dir, "sub/one", "one\npear\n", 0);
	tree_dir(dir, "sub/deep", 0750);
	tree_file(dir, "sub/deep/two", "two\n", 0);
	tree_dir(dir, "sub2", 0755);
	tree_file(dir, "sub2/one", "one\n", 0);
	tree_dir(dir, "hollow", 0755);
	tree_dir(dir, "hollow/inner", 0755);
	tree_link(dir, "link", "text");
	tree_link(dir, "dangling", "missing");
	tree_dir(dir, "many", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
		if (archives[i].data)
			tree_file(dir, archives[i].name, archives[i].data, archives[i].len);
	free(data);
}

/* Only for the test that needs them: they cost time. */
static void fill_many(void)
{
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "many/a-rather-long-name-%03d", i);
		tree_file(dir, name, "", 0);
	}
}

static void run_row(void **state)
{
	const struct row *row = *state;
	const char *argv[MAX_ARGS + 2] = { BUSYBOX }, *options[MAX_ARGS] = { "--ro", dir };
	struct run_opts opts = {
		.options = options, .in = row->in, .cwd = dir, .any_stderr = row->any_stderr,
	};
	struct run_result native;

	for (size_t i = 0; row->argv[i]; i++)
		argv[i + 1] = row->argv[i];
	for (size_t i = 0; row->options && row->options[i]; i++)
		options[i + 2] = row->options[i];

	if (row->writes) {
		opts.options = row->options;
		native = run_same_writing(dir, fill, &opts, argv);
	} else {
		native = run_same(&opts, argv);
	}
	/* Equal is not enough: the row must have done what it is there for. */
	if ((native.signal ? 128 + native.signal : native.status) != row->status) {
		run_show("native", &native);
		fail_msg("the native run itself should have ended with %d", row->status);
	}
	run_free(&native);
}

static int no_tree(void **state)
{
	(void)state;
	remove_written(dir);
	return 0;
}

static int fresh_tree(void **state)
{
	no_tree(state);
	tree_dir(base, "d", 0755);
	fill(dir);
	tree_age(dir);
	return 0;
}

/* Rows that only read share one tree, from the first of them to the last. */
static int read_only_tree(void **state)
{
	if (access(dir, F_OK)) {
		fresh_tree(state);
		fill_many();
		tree_age(dir);
	}
	return 0;
}

static int make_base(void **state)
{
	if (access(BUSYBOX, X_OK)) {
		print_error("%s: %s: install busybox-static\n", BUSYBOX, strerror(errno));
		return -1;
	}
	snprintf(own_id, sizeof(own_id), "%u:%u", getuid(), getgid());
	snprintf(own_group, sizeof(own_group), "%u", getgid());
	base = tree_new();
	dir = tree_path(base, "d");
	fresh_tree(state);
	for (size_t i = 0; i < ARRAY_SIZE(archives); i++) {
		struct run_result r = run_native(&(struct run_opts){ .cwd = dir, .in = archives[i].in },
						 archives[i].argv);

		assert_status(&r, 0);
		archives[i].data = r.out;
		archives[i].len = r.out_len;
	}
	no_tree(state);
	return 0;
}

static int remove_base(void **state)
{
	(void)state;
	tree_remove(base);
	return 0;
}

static void at_least_60_different_applets_are_covered(void **state)
{
	size_t applets = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t j = 0;

		while (strcmp(rows[j].argv[0], rows[i].argv[0]))
			j++;
		applets += i == j;
	}
	print_message("%zu applets\n", applets);
	assert_true(applets >= 60);
}

/*
 * Attempts to change what was granted by --ro: each must fail by itself, with
 * status 1 and one line, and leave the tree as it was.
 */
static const struct row forbidden[] = {
	ROW("touch_cannot_create_in_a_read_only_grant", LIST("touch", "new")),
	ROW("rm_cannot_remove_from_a_read_only_grant", LIST("rm", "-f", "text")),
	ROW("mkdir_cannot_create_in_a_read_only_grant", LIST("mkdir", "new")),
	ROW("rmdir_cannot_remove_from_a_read_only_grant", LIST("rmdir", "hollow/inner")),
	ROW("mv_cannot_rename_in_a_read_only_grant", LIST("mv", "text", "new")),
	ROW("ln_cannot_link_in_a_read_only_grant", LIST("ln", "text", "new")),
	ROW("ln_cannot_symlink_in_a_read_only_grant", LIST("ln", "-s", "text", "new")),
	ROW("chmod_cannot_change_a_read_only_grant", LIST("chmod", "777", "text")),
	ROW("truncate_cannot_change_a_read_only_grant", LIST("truncate", "-s", "0", "text")),
	ROW("touch_cannot_change_times_in_a_read_only_grant", LIST("touch", "-d", "@1", "text")),
	ROW("cp_cannot_overwrite_in_a_read_only_grant", LIST("cp", "words", "text")),
	ROW("dd_cannot_overwrite_in_a_read_only_grant",
	    LIST("dd", "if=words", "of=text", "conv=notrunc", "status=none")),
};

static void run_forbidden(void **state)
{
	const struct row *row = *state;
	const char *argv[MAX_ARGS + 2] = { BUSYBOX };
	const struct run_opts opts = { .options = LIST("--ro", dir), .cwd = dir };
	struct run_result r;
	char *before, *after;

	for (size_t i = 0; row->argv[i]; i++)
		argv[i + 1] = row->argv[i];
	before = tree_describe(dir);
	r = run_kvmrun_opts(&opts, argv);
	assert_status(&r, 1);
	assert_out(&r, "");
	assert_err_line(&r, row->argv[0]);
	after = tree_describe(dir);
	assert_string_equal(before, after);
	free(before);
	free(after);
	run_free(&r);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(forbidden) + 1];
	size_t n = 0;

	tests[n++] = (struct CMUnitTest)cmocka_unit_test(at_least_60_different_applets_are_covered);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = run_row, .initial_state = (void *)&rows[i],
			.setup_func = rows[i].writes ? NULL : read_only_tree,
			.teardown_func = rows[i].writes ? no_tree : NULL,
		};
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		tests[n++] = (struct CMUnitTest){
			.name = forbidden[i].name, .test_func = run_forbidden,
			.initial_state = (void *)&forbidden[i], .setup_func = fresh_tree,
		};
	return harness_main(argc, argv, "busybox", tests, n, make_base, remove_base);
}
