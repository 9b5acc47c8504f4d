package main

import (
	"context"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// verdicts decides by the body: commit, rollback, or unknown and commit when asked.
type verdicts struct {
	mutex sync.Mutex
	asked map[string]int
}

func (v *verdicts) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	switch string(message.Body) {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	default:
		return primitive.UnkonwnState
	}
}

func (v *verdicts) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.asked[string(message.Body)]++
	if string(message.Body) == "asked to roll back" {
		return primitive.RollbackMessageState
	}
	return primitive.CommitMessageState
}

func (v *verdicts) timesAsked(body string) int {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.asked[body]
}

func sendInTransaction(t *trial, topic string, bodies ...string) *verdicts {
	listener := &verdicts{asked: map[string]int{}}
	client, err := rocketmq.NewTransactionProducer(listener, t.producerOptions(nil)...)
	t.noError(err, "making a producer")
	t.noError(client.Start(), "starting it")
	t.later(client.Shutdown)
	for _, body := range bodies {
		result, err := client.SendMessageInTransaction(context.Background(), primitive.NewMessage(topic, []byte(body)))
		t.noError(err, "sending "+body)
		t.check(result.Status == primitive.SendOK, "send status %d", result.Status)
	}
	return listener
}

func transactionEnded(t *trial) {
	topic := t.topic(1)
	box := t.push(topic, all)
	sendInTransaction(t, topic, "rollback", "commit", "rollback", "commit")
	t.until("what was committed", func() bool { return bodiesOf(box)["commit"] >= 2 })
	time.Sleep(time.Second) // what was rolled back had its chance
	t.check(len(box.got()) == 2, "it got %v", bodiesOf(box))
	for _, message := range box.got() {
		t.check(message.Topic == topic, "the topic is %s", message.Topic)
	}
}

// The broker asks about what is neither committed nor rolled back (transactionTimeOut and transactionCheckInterval are short).
func transactionAsked(t *trial) {
	topic := t.topic(1)
	box := t.push(topic, all)
	listener := sendInTransaction(t, topic, "asked to roll back", "asked to commit")
	t.until("the broker's questions", func() bool {
		return listener.timesAsked("asked to roll back") > 0 && listener.timesAsked("asked to commit") > 0
	})
	t.until("what was committed", func() bool { return bodiesOf(box)["asked to commit"] == 1 })
	t.check(len(box.got()) == 1, "it got %v", bodiesOf(box))
}
