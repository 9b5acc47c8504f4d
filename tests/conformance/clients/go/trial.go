package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// trial gives a scenario its names and clients, and shuts them down.
type trial struct {
	name       string
	nameServer string
	broker     string
	id         string
	clients    int
	atEnd      []func()
}

// failure is what a check panics with: the scenario ends there.
type failure string

func newTrial(name, nameServer, broker string) *trial {
	id := fmt.Sprintf("%s-%d-%d", strings.ReplaceAll(name, ".", "-"), os.Getpid(), time.Now().UnixMilli()%1_000_000)
	return &trial{name: name, nameServer: nameServer, broker: broker, id: id}
}

func (t *trial) run(scenario func(*trial)) (reason string) {
	defer func() {
		if caught := recover(); caught != nil {
			reason = fmt.Sprint(caught)
		}
	}()
	scenario(t)
	return ""
}

func (t *trial) cleanUp() {
	for index := len(t.atEnd) - 1; index >= 0; index-- {
		t.atEnd[index]()
	}
}

func (t *trial) later(action func() error) {
	t.atEnd = append(t.atEnd, func() { _ = action() })
}

// ---- checks ----

func (t *trial) check(holds bool, format string, values ...any) {
	if !holds {
		panic(failure(fmt.Sprintf(format, values...)))
	}
}

func (t *trial) noError(err error, doing string) {
	t.check(err == nil, "%s: %v", doing, err)
}

// until waits for a condition.
func (t *trial) until(what string, holds func() bool) {
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		t.check(time.Now().Before(end), "waited 30 s for %s", what)
	}
}

// ---- clients ----

// instance is new with each call: clients of one instance name share connections and name servers.
func (t *trial) instance() string {
	t.clients++
	return fmt.Sprintf("%s-%d", t.id, t.clients)
}

func (t *trial) nameServers() primitive.NamesrvAddr {
	return primitive.NamesrvAddr{t.nameServer}
}

func (t *trial) topic(queues int) string {
	t.createTopic(t.id, queues)
	return t.id
}

func (t *trial) createTopic(topic string, queues int) {
	client := t.admin()
	err := client.CreateTopic(context.Background(), admin.WithTopicCreate(topic), admin.WithBrokerAddrCreate(t.broker),
		admin.WithReadQueueNums(queues), admin.WithWriteQueueNums(queues))
	t.noError(err, "creating a topic")
	t.until("the route of "+topic, func() bool {
		found, err := client.FetchPublishMessageQueues(context.Background(), topic)
		return err == nil && len(found) == queues
	})
}

func (t *trial) admin() admin.Admin {
	resolver := primitive.NewPassthroughResolver([]string{t.nameServer})
	client, err := admin.NewAdmin(admin.WithResolver(resolver))
	t.noError(err, "making an admin client")
	return client
}

func (t *trial) producerOptions(more []producer.Option) []producer.Option {
	return append([]producer.Option{
		producer.WithGroupName("P-" + t.id), producer.WithInstanceName(t.instance()),
		producer.WithNameServer(t.nameServers()), producer.WithRetry(1), producer.WithSendMsgTimeout(10 * time.Second),
	}, more...)
}

func (t *trial) producer(options ...producer.Option) rocketmq.Producer {
	client, err := rocketmq.NewProducer(t.producerOptions(options)...)
	t.noError(err, "making a producer")
	t.noError(client.Start(), "starting a producer")
	t.later(client.Shutdown)
	return client
}

func (t *trial) consumerOptions(more []consumer.Option) []consumer.Option {
	return append([]consumer.Option{
		consumer.WithGroupName("C-" + t.id), consumer.WithInstance(t.instance()),
		consumer.WithNameServer(t.nameServers()), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, more...)
}

// push starts a push consumer that keeps what it gets.
func (t *trial) push(topic string, selector consumer.MessageSelector, options ...consumer.Option) *inbox {
	box := &inbox{}
	t.pushTo(topic, selector, box.take, options...)
	return box
}

type listener func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

func (t *trial) pushTo(topic string, selector consumer.MessageSelector, take listener, options ...consumer.Option) rocketmq.PushConsumer {
	client, err := rocketmq.NewPushConsumer(t.consumerOptions(options)...)
	t.noError(err, "making a push consumer")
	t.noError(client.Subscribe(topic, selector, take), "subscribing")
	t.noError(client.Start(), "starting a push consumer")
	t.later(client.Shutdown)
	return client
}

func (t *trial) pull(topic string, selector consumer.MessageSelector, options ...consumer.Option) rocketmq.PullConsumer {
	client, err := rocketmq.NewPullConsumer(t.consumerOptions(options)...)
	t.noError(err, "making a pull consumer")
	t.noError(client.Subscribe(topic, selector), "subscribing")
	t.noError(client.Start(), "starting a pull consumer")
	t.later(client.Shutdown)
	return client
}

// readQueue returns all messages of one queue of the topic.
func (t *trial) readQueue(topic string, queueId int, count int) []*primitive.MessageExt {
	client := t.pull(topic, all, consumer.WithGroupName("R-"+t.id+"-"+t.instance()))
	queue := &primitive.MessageQueue{Topic: topic, BrokerName: t.brokerName(topic), QueueId: queueId}
	var found []*primitive.MessageExt
	var offset int64
	t.until(fmt.Sprintf("%d messages in queue %d", count, queueId), func() bool {
		result, err := client.PullFrom(context.Background(), queue, offset, 32)
		t.noError(err, "pulling")
		if result.Status == primitive.PullFound {
			found = append(found, result.GetMessageExts()...)
		}
		offset = result.NextBeginOffset
		return len(found) >= count
	})
	return found
}

func (t *trial) brokerName(topic string) string {
	queues, err := t.admin().FetchPublishMessageQueues(context.Background(), topic)
	t.noError(err, "asking for the queues of "+topic)
	t.check(len(queues) > 0, "%s has no queues", topic)
	return queues[0].BrokerName
}

// sendAll sends bodies `0`, `1`, … one after the other.
func (t *trial) sendAll(client rocketmq.Producer, topic string, count int, shape func(int, *primitive.Message)) []*primitive.SendResult {
	results := make([]*primitive.SendResult, count)
	for index := range results {
		message := primitive.NewMessage(topic, []byte(fmt.Sprint(index)))
		if shape != nil {
			shape(index, message)
		}
		result, err := client.SendSync(context.Background(), message)
		t.noError(err, "sending")
		t.check(result.Status == primitive.SendOK, "send status %d", result.Status)
		results[index] = result
	}
	return results
}

var all = consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}

// inbox keeps what a consumer got.
type inbox struct {
	mutex    sync.Mutex
	messages []*primitive.MessageExt
}

func (box *inbox) take(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	box.messages = append(box.messages, messages...)
	return consumer.ConsumeSuccess, nil
}

func (box *inbox) got() []*primitive.MessageExt {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	return append([]*primitive.MessageExt(nil), box.messages...)
}

func (box *inbox) count() int { return len(box.got()) }

// bodies, with how often each came.
func bodiesOf(boxes ...*inbox) map[string]int {
	bodies := map[string]int{}
	for _, box := range boxes {
		for _, message := range box.got() {
			bodies[string(message.Body)]++
		}
	}
	return bodies
}

// eachOnce: bodies `0` to `count - 1`, once each, and nothing else.
func (t *trial) eachOnce(bodies map[string]int, count int) {
	t.check(len(bodies) == count, "%d different messages, not %d", len(bodies), count)
	for index := range count {
		t.check(bodies[fmt.Sprint(index)] == 1, "message %d came %d times", index, bodies[fmt.Sprint(index)])
	}
}
