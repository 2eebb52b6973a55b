// SPDX-License-Identifier: GPL-2.0-only

// os/signal: each signal that a program can catch, from itself and from a timer, ignored
// and default again, and faults that become panics.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"
)

func fault(name string, f func()) {
	defer func() { fmt.Printf("%s: %v\n", name, recover()) }()
	f()
}

func main() {
	caught := make(chan os.Signal, 10)
	pid := os.Getpid()

	for n := syscall.Signal(1); n <= 64; n++ {
		switch n {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE,
			syscall.SIGPROF, syscall.SIGURG, 32, 33, 34:
			continue
		}
		signal.Notify(caught, n)
		if err := syscall.Kill(pid, n); err != nil {
			fmt.Println("kill:", n, err)
			continue
		}
		select {
		case got := <-caught:
			if got != n {
				fmt.Println("wanted", n, "got", got)
			}
		case <-time.After(10 * time.Second):
			fmt.Println("not caught:", int(n), n)
		}
		signal.Reset(n)
	}
	fmt.Println("each was caught")

	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
	syscall.Kill(pid, syscall.SIGTERM)
	fmt.Println("ignored:", signal.Ignored(syscall.SIGTERM))

	until, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR1)
	go syscall.Kill(pid, syscall.SIGUSR1)
	<-until.Done()
	fmt.Println("context:", until.Err())
	stop()

	signal.Notify(caught, syscall.SIGALRM)
	timer := [4]int64{0, 5000, 0, 5000} // every 5 ms
	syscall.Syscall(syscall.SYS_SETITIMER, 0, uintptr(unsafe.Pointer(&timer)), 0)
	for i := 0; i < 5; i++ {
		<-caught
	}
	timer = [4]int64{}
	syscall.Syscall(syscall.SYS_SETITIMER, 0, uintptr(unsafe.Pointer(&timer)), 0)
	fmt.Println("alarms: 5")

	zero := 0
	fault("divide", func() { fmt.Println(1 / zero) })
	fault("nil", func() { fmt.Println(*(*int)(nil)) })
	debug.SetPanicOnFault(true)
	fault("address", func() { fmt.Println(*(*int)(unsafe.Pointer(uintptr(0x10000)))) })
	page, _ := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	fault("read-only", func() { page[0] = 1 })

	signal.Reset(syscall.SIGINT)
	syscall.Kill(pid, syscall.SIGINT)
	time.Sleep(10 * time.Second)
	fmt.Println("still here")
}
