// What the tests' pods run: it waits, and answers on $PORT, where one is given, with the name of its pod.
package main

import (
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if port := os.Getenv("PORT"); port != "" {
		go func() {
			name, _ := os.Hostname()
			answer := func(to http.ResponseWriter, _ *http.Request) { to.Write([]byte(name + "\n")) }
			if err := http.ListenAndServe(":"+port, http.HandlerFunc(answer)); err != nil {
				println(err.Error())
				os.Exit(1)
			}
		}()
	}
	// The kernel delivers no signal to the first process of a namespace that does not ask for it.
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM, syscall.SIGINT)
	<-stopped
}
