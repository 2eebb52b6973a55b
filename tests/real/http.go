// SPDX-License-Identifier: GPL-2.0-only

// A server of HTTP and its clients in one program, on the loopback: many requests at
// once, bodies both ways, chunks, a time limit, UNIX sockets, UDP.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		fmt.Fprintf(w, "%x", sha256.Sum256(body))
	})
	mux.HandleFunc("/chunks", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 5; i++ {
			fmt.Fprintf(w, "chunk %d\n", i)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)

	var group sync.WaitGroup
	good := make([]bool, 20)
	for i := range good {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			data := bytes.Repeat([]byte{byte(i)}, 1000*i)
			response, err := http.Post(server.URL+"/sum", "application/octet-stream", bytes.NewReader(data))
			if err != nil {
				fmt.Println("post:", err)
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			good[i] = err == nil && string(body) == fmt.Sprintf("%x", sha256.Sum256(data))
		}(i)
	}
	group.Wait()
	count := 0
	for _, g := range good {
		if g {
			count++
		}
	}
	fmt.Println("posts:", count)

	response, err := http.Get(server.URL + "/chunks")
	check(err)
	body, err := io.ReadAll(response.Body)
	check(err)
	response.Body.Close()
	fmt.Println("chunks:", response.TransferEncoding, strings.Count(string(body), "\n"))
	response, err = http.Get(server.URL + "/missing")
	check(err)
	response.Body.Close()
	fmt.Println("missing:", response.Status)

	limited, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	request, err := http.NewRequestWithContext(limited, "GET", server.URL+"/never", nil)
	check(err)
	_, err = http.DefaultClient.Do(request)
	fmt.Println("never:", errors.Is(err, context.DeadlineExceeded))
	cancel()
	server.Close()
	_, err = http.Get(server.URL + "/sum")
	fmt.Println("closed:", err != nil)

	if len(os.Args) > 1 {
		unix(filepath.Join(os.Args[1], "socket"))
	}
	udp()
}

func unix(path string) {
	listener, err := net.Listen("unix", path)
	check(err)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn) // splice, where the kernel takes it
				conn.Close()
			}()
		}
	}()
	conn, err := net.Dial("unix", path)
	check(err)
	sent := bytes.Repeat([]byte("0123456789"), 20000)
	go func() {
		conn.Write(sent)
		conn.(*net.UnixConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	check(err)
	fmt.Println("unix:", bytes.Equal(sent, got), conn.RemoteAddr().Network())
	check(listener.Close())
	_, err = os.Stat(path)
	fmt.Println("unlinked:", os.IsNotExist(err))
}

func udp() {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	client, err := net.Dial("udp", server.LocalAddr().String())
	check(err)
	_, err = client.Write([]byte("datagram"))
	check(err)
	buffer := make([]byte, 100)
	n, from, err := server.ReadFrom(buffer)
	check(err)
	fmt.Println("udp:", string(buffer[:n]), from.String() == client.LocalAddr().String())
	check(server.SetReadDeadline(time.Now().Add(10 * time.Millisecond)))
	_, _, err = server.ReadFrom(buffer)
	fmt.Println("deadline:", errors.Is(err, os.ErrDeadlineExceeded))
}
