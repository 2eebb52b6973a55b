// SPDX-License-Identifier: GPL-2.0-only

// os/exec on the program itself: pipes, statuses, environments, directories, time
// limits, process groups, descriptors handed on.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

func child(args []string) {
	switch args[0] {
	case "echo":
		fmt.Println(strings.Join(args[1:], " "))
	case "cat":
		io.Copy(os.Stdout, os.Stdin)
	case "exit":
		os.Exit(7)
	case "env":
		fmt.Println(os.Getenv("FROM_PARENT"), len(os.Environ()))
	case "group":
		fmt.Println(syscall.Getpgrp() == os.Getpid())
	case "fd3":
		fmt.Fprint(os.NewFile(3, "third"), "by the third descriptor")
	case "sleep":
		fmt.Println("asleep")
		time.Sleep(time.Hour)
	case "trap":
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, syscall.SIGTERM)
		fmt.Println("ready")
		fmt.Println("caught", <-caught)
		os.Exit(3)
	case "panic":
		panic("on purpose")
	}
}

func self(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	return cmd
}

func show(name string, out []byte, err error) {
	fmt.Printf("%s: %q %v\n", name, out, err)
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1:])
		return
	}
	out, err := self("echo", "one", "two").Output()
	show("echo", out, err)
	_, err = self("exit").Output()
	show("exit", nil, err)

	cmd := self("env")
	cmd.Env = []string{"FROM_PARENT=yes"}
	out, err = cmd.Output()
	show("env", out, err)

	cmd = self("cat")
	cmd.Stdin = strings.NewReader(strings.Repeat("line\n", 20000))
	out, err = cmd.Output()
	show("cat", out[:10], err)
	fmt.Println("length:", len(out))

	cmd = self("group")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err = cmd.Output()
	show("group", out, err)

	r, w, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
	}
	cmd = self("fd3")
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Run()
	w.Close()
	out, _ = io.ReadAll(r)
	show("fd3", out, err)

	limited, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	err = exec.CommandContext(limited, os.Args[0], "sleep").Run()
	show("killed", nil, err)
	cancel()

	cmd = self("trap")
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	lines := bufio.NewScanner(pipe)
	lines.Scan()
	cmd.Process.Signal(syscall.SIGTERM)
	lines.Scan()
	fmt.Println("trap:", lines.Text(), err, cmd.Wait())

	cmd = self("panic")
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	fmt.Println("panic:", err, strings.HasPrefix(said.String(), "panic: on purpose\n\ngoroutine 1 [running]:"))

	err = exec.Command("/no/such/program").Run()
	fmt.Println("missing:", errors.Is(err, os.ErrNotExist), err)

	var group sync.WaitGroup
	results := make([]string, 8)
	for i := range results {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			out, err := self("echo", fmt.Sprint(i)).Output()
			results[i] = fmt.Sprintf("%s%v", out, err)
		}(i)
	}
	group.Wait()
	fmt.Printf("at once: %q\n", results)
	_, err = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	fmt.Println("left:", err)
}
