/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AddressSanitizer's, before each call that does not return, asks for the signal stack (sigaltstack(2)), which the
 * jail has no use for and kills. What it would do, take the marks off the stack, matters to longjmp() alone.
 */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}
