// Scenarios judged by the Go client of RocketMQ, unmodified. Each is one claim, has names of its own and a time limit.
//
//	go run . NAME_SERVER BROKER [SCENARIO...]
//
// Addresses are HOST:PORT. Prints `PASS name (ms)` or `FAIL name: reason` for each, and `N passed, N failed` at the end.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const (
	atOnce        = 10
	scenarioLimit = 45 * time.Second
)

var scenarios = map[string]func(*trial){
	"send.sync":            sendSync,
	"send.async":           sendAsync,
	"send.oneway":          sendOneway,
	"send.batch":           sendBatch,
	"send.unicode":         sendUnicode,
	"send.compressed":      sendCompressed,
	"send.largest":         sendLargest,
	"send.by-key":          sendByKey,
	"send.creates-topic":   sendCreatesTopic,
	"send.name-servers":    sendNameServers,
	"send.namespace":       sendNamespace,
	"send.trace":           sendTrace,
	"send.delayed":         sendDelayed,
	"send.request-reply":   sendRequestReply,
	"push.clustering":      pushClustering,
	"push.broadcasting":    pushBroadcasting,
	"push.orderly":         pushOrderly,
	"push.tags":            pushTags,
	"push.sql":             pushSql,
	"push.retry":           pushRetry,
	"push.resumes":         pushResumes,
	"pull.from":            pullFrom,
	"pull.poll":            pullPoll,
	"pull.assigned":        pullAssigned,
	"transaction.ended":    transactionEnded,
	"transaction.asked":    transactionAsked,
	"admin.topics":         adminTopics,
	"admin.groups":         adminGroups,
	"admin.deleted-topic":  adminDeletedTopic,
	"admin.refused-topics": adminRefusedTopics,
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: go run . NAME_SERVER BROKER [SCENARIO...]")
		os.Exit(2)
	}
	level := os.Getenv("CLIENT_LOG")
	if level == "" {
		level = "fatal"
	}
	rlog.SetLogLevel(level)

	var names []string
	for name := range scenarios {
		if chosen(name, os.Args[3:]) {
			names = append(names, name)
		}
	}
	sort.Strings(names)

	var running sync.WaitGroup
	var printing sync.Mutex
	places := make(chan struct{}, atOnce)
	passed, failed := 0, 0
	for _, name := range names {
		running.Add(1)
		places <- struct{}{}
		go func() {
			defer func() { <-places; running.Done() }()
			began := time.Now()
			reason := try(name, os.Args[1], os.Args[2])
			printing.Lock()
			defer printing.Unlock()
			if reason == "" {
				passed++
				fmt.Printf("PASS %s (%d ms)\n", name, time.Since(began).Milliseconds())
			} else {
				failed++
				fmt.Printf("FAIL %s: %s\n", name, strings.ReplaceAll(reason, "\n", " "))
			}
		}()
	}
	running.Wait()
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

// chosen: named itself, or by its group, or nothing is named.
func chosen(name string, filters []string) bool {
	for _, filter := range filters {
		if name == filter || strings.HasPrefix(name, filter+".") {
			return true
		}
	}
	return len(filters) == 0
}

// try runs one scenario to its end or its limit, and returns why it failed.
func try(name, nameServer, broker string) string {
	ended := make(chan string, 1)
	go func() {
		t := newTrial(name, nameServer, broker)
		reason := t.run(scenarios[name])
		t.cleanUp()
		ended <- reason
	}()
	select {
	case reason := <-ended:
		return reason
	case <-time.After(scenarioLimit):
		return fmt.Sprintf("not ended after %v", scenarioLimit)
	}
}
