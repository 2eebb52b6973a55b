/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The string functions that libc chooses by the CPU (IFUNC), compared with
 * plain loops for many sizes and places, up to the last byte before a page
 * that is not there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define MOST 700

static volatile unsigned char *a, *b;	/* two pages each, with holes behind them */
static unsigned long checks;

static void must(int ok, const char *what, size_t n, size_t at)
{
	checks++;
	if (ok)
		return;
	printf("%s is wrong: %zu bytes at %zu\n", what, n, at);
	exit(1);
}

static unsigned char *pages(void)
{
	unsigned char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p + 2 * PAGE, PAGE))
		exit(2);
	return p;
}

static void fill(volatile unsigned char *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = 1 + (seed >> 16) % 255;
	}
}

static int same(const volatile unsigned char *x, const volatile unsigned char *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return 0;
	return 1;
}

static void copies(size_t n, size_t at)
{
	static unsigned char expected[2 * PAGE];
	unsigned char *to = (unsigned char *)b + at, *from = (unsigned char *)a + 2 * PAGE - n;

	fill(a, 2 * PAGE, n);
	fill(b, 2 * PAGE, at);
	for (size_t i = 0; i < sizeof(expected); i++)
		expected[i] = i >= at && i < at + n ? from[i - at] : b[i];
	memcpy(to, from, n);
	must(same(b, expected, 2 * PAGE), "memcpy", n, at);
	must(!memcmp(to, from, n), "memcmp", n, at);
	if (n) {
		to[n - 1] ^= 1;
		must(!memcmp(to, from, n) == 0 && (memcmp(to, from, n) < 0) == (to[n - 1] < from[n - 1]), "memcmp",
		     n, at);
		to[n - 1] ^= 1;
	}
	memmove((unsigned char *)b + at + 3, to, n);
	for (size_t i = n; i-- > 0;)
		expected[at + 3 + i] = expected[at + i];
	must(same(b, expected, 2 * PAGE), "memmove", n, at);
	memset(to, 0x5a, n);
	for (size_t i = 0; i < n; i++)
		expected[at + i] = 0x5a;
	must(same(b, expected, 2 * PAGE), "memset", n, at);
}

/* Strings that end with the page. */
static void strings(size_t n, size_t at)
{
	char *s = (char *)a + 2 * PAGE - n - 1, *t = (char *)b + at;

	fill(a, 2 * PAGE, n + 1);
	s[n] = 0;
	must(strlen(s) == n, "strlen", n, at);
	must(strnlen(s, n / 2) == n / 2, "strnlen", n, at);
	must(strcpy(t, s) == t && same((void *)t, (void *)s, n + 1), "strcpy", n, at);
	must(strcmp(t, s) == 0 && strncmp(t, s, n + 9) == 0, "strcmp", n, at);
	must(strchr(s, 0) == s + n && memchr(s, 0, n + 1) == s + n, "strchr", n, at);
	must(strrchr(s, 0) == s + n, "strrchr", n, at);
	if (n > 2) {
		size_t first = 0, last = n - 1;

		while (s[first] != s[n / 2])
			first++;
		while (s[last] != s[n / 2])
			last--;
		must(strchr(s, s[n / 2]) == s + first, "strchr", n, at);
		must(strrchr(s, s[n / 2]) == s + last, "strrchr", n, at);
		t[n - 1] ^= 1;
		must(strcmp(t, s) != 0 && strncmp(t, s, n - 1) == 0, "strcmp", n, at);
		must(strstr(s, s + n / 2) != NULL && strstr(s, t + n / 2) == NULL, "strstr", n, at);
	}
}

int main(void)
{
	a = pages();
	b = pages();
	for (size_t n = 0; n < MOST; n += n < 140 ? 1 : 37)
		for (size_t at = 0; at < 64; at += n % 8 ? 21 : 3) {
			copies(n, at);
			strings(n, at);
		}
	printf("%lu checks\n", checks);
	return 0;
}
