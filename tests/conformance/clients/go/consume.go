package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// Two members share the queues, before and after they know of each other.
func pushClustering(t *trial) {
	topic := t.topic(4)
	first := t.push(topic, all)
	second := t.push(topic, all)
	client := t.producer()
	sent := 0
	t.until("both members to have messages", func() bool {
		for range 8 {
			_, err := client.SendSync(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprint(sent))))
			t.noError(err, "sending")
			sent++
		}
		time.Sleep(200 * time.Millisecond)
		return first.count() > 0 && second.count() > 0
	})
	t.until("all messages", func() bool { return len(bodiesOf(first, second)) == sent })
}

func pushBroadcasting(t *trial) {
	topic := t.topic(4)
	first := t.push(topic, all, consumer.WithConsumerModel(consumer.BroadCasting))
	second := t.push(topic, all, consumer.WithConsumerModel(consumer.BroadCasting))
	t.sendAll(t.producer(), topic, 20, nil)
	t.until("20 messages each", func() bool { return first.count() >= 20 && second.count() >= 20 })
	t.eachOnce(bodiesOf(first), 20)
	t.eachOnce(bodiesOf(second), 20)
}

func pushOrderly(t *trial) {
	topic := t.topic(4)
	client := t.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	t.sendAll(client, topic, 40, func(index int, message *primitive.Message) {
		message.WithShardingKey(fmt.Sprintf("order-%d", index%4))
	})
	box := t.push(topic, all, consumer.WithConsumerOrder(true))
	t.until("40 messages", func() bool { return box.count() >= 40 })
	t.eachOnce(bodiesOf(box), 40)
	next := map[string]int64{}
	for _, message := range box.got() {
		key := fmt.Sprint(message.Queue.QueueId)
		t.check(message.QueueOffset == next[key], "queue %s: offset %d came for %d", key, message.QueueOffset, next[key])
		next[key]++
	}
}

func pushTags(t *trial) {
	topic := t.topic(2)
	// "Aa" and "BB" have the same hash: the client tells them apart.
	t.sendAll(t.producer(), topic, 40, func(index int, message *primitive.Message) {
		message.WithTag([]string{"Aa", "BB", "C", "D"}[index%4])
	})
	box := t.push(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "Aa || C"})
	t.until("20 messages", func() bool { return box.count() >= 20 })
	for body, times := range bodiesOf(box) {
		var index int
		fmt.Sscan(body, &index)
		t.check(index%2 == 0 && times == 1, "message %s came %d times", body, times)
	}
}

func pushSql(t *trial) {
	topic := t.topic(1)
	t.sendAll(t.producer(), topic, 20, func(index int, message *primitive.Message) {
		message.WithProperty("number", fmt.Sprint(index))
		message.WithProperty("colour", []string{"red", "blue"}[index%2])
	})
	box := t.push(topic, consumer.MessageSelector{Type: consumer.SQL92, Expression: "number BETWEEN 4 AND 11 AND colour = 'red'"})
	t.until("4 messages", func() bool { return box.count() >= 4 })
	bodies := bodiesOf(box)
	for _, body := range []string{"4", "6", "8", "10"} {
		t.check(bodies[body] == 1, "message %s came %d times", body, bodies[body])
	}
	t.check(len(bodies) == 4, "it got %v", bodies)
}

// A message that was refused comes again, with its retry counted and its topic as it was.
func pushRetry(t *trial) {
	topic := t.topic(1)
	t.createTopic("%RETRY%C-"+t.id, 1)
	t.sendAll(t.producer(), topic, 2, nil)
	box := &inbox{}
	var refusals atomic.Int32
	t.pushTo(topic, all, func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		if string(messages[0].Body) == "0" && refusals.Add(1) <= 2 {
			return consumer.ConsumeRetryLater, nil
		}
		return box.take(ctx, messages...)
	})
	t.until("both messages", func() bool { return box.count() >= 2 })
	for _, message := range box.got() {
		t.check(message.Topic == topic, "message %s has the topic %s", message.Body, message.Topic)
		wanted := int32(0)
		if string(message.Body) == "0" {
			wanted = 2
		}
		t.check(message.ReconsumeTimes == wanted, "message %s was consumed %d times", message.Body, message.ReconsumeTimes)
	}
}

// The next member goes on where the last one stopped.
func pushResumes(t *trial) {
	topic := t.topic(1)
	client := t.producer()
	t.sendAll(client, topic, 5, nil)
	first := &inbox{}
	member := t.pushTo(topic, all, first.take)
	t.until("5 messages", func() bool { return first.count() == 5 })
	// This client commits what it finished, not what it was given: let it finish.
	t.until("its offset", func() bool { return member.GetOffsetDiffMap()[topic] == 0 })
	t.noError(member.Shutdown(), "shutting down")
	for index := range 5 {
		_, err := client.SendSync(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprint("later ", index))))
		t.noError(err, "sending")
	}
	second := t.push(topic, all)
	t.until("5 messages more", func() bool { return second.count() >= 5 })
	for body := range bodiesOf(second) {
		t.check(strings.HasPrefix(body, "later "), "message %s came again", body)
	}
}

func pullFrom(t *trial) {
	topic := t.topic(1)
	client, sender := t.pull(topic, all), t.producer()
	t.sendAll(sender, topic, 40, nil)
	queue := &primitive.MessageQueue{Topic: topic, BrokerName: t.brokerName(topic), QueueId: 0}
	var result *primitive.PullResult
	var err error
	t.until("the queue", func() bool {
		result, err = client.PullFrom(context.Background(), queue, 5, 10)
		t.noError(err, "pulling")
		return result.Status == primitive.PullFound
	})
	found := result.GetMessageExts()
	t.check(len(found) == 10 && string(found[0].Body) == "5", "%d messages from %q", len(found), found[0].Body)
	t.check(result.NextBeginOffset == 15 && result.MinOffset == 0 && result.MaxOffset == 40, "offsets %d, %d, %d",
		result.NextBeginOffset, result.MinOffset, result.MaxOffset)
	result, err = client.PullFrom(context.Background(), queue, 100, 10)
	t.noError(err, "pulling beyond the end")
	t.check(result.Status == primitive.PullOffsetIllegal && result.NextBeginOffset == 40, "status %d, next offset %d",
		result.Status, result.NextBeginOffset)
	// At the end the broker holds the pull until a message comes.
	late := make(chan error, 1)
	go func() {
		time.Sleep(500 * time.Millisecond)
		_, err := sender.SendSync(context.Background(), primitive.NewMessage(topic, []byte("40")))
		late <- err
	}()
	result, err = client.PullFrom(context.Background(), queue, 40, 10)
	t.noError(err, "pulling at the end")
	t.check(result.Status == primitive.PullFound, "status %d at the end", result.Status)
	t.noError(<-late, "sending later")

	t.noError(client.UpdateOffset(queue, 17), "setting the offset")
	t.noError(client.PersistOffset(context.Background(), topic), "storing it")
	offset, err := client.CurrentOffset(queue)
	t.check(err == nil && offset == 17, "the offset is %d, %v", offset, err)
	offset, err = client.OffsetForTimestamp(queue, found[0].StoreTimestamp)
	t.check(err == nil && offset <= 5, "the offset by time is %d, %v", offset, err)
}

func poll(t *trial, client rocketmq.PullConsumer, count int) map[string]int {
	bodies := map[string]int{}
	t.until(fmt.Sprintf("%d messages", count), func() bool {
		request, err := client.Poll(context.Background(), time.Second)
		if consumer.IsNoNewMsgError(err) {
			return false
		}
		t.noError(err, "polling")
		for _, message := range request.GetMsgList() {
			bodies[string(message.Body)]++
		}
		client.ACK(context.Background(), request, consumer.ConsumeSuccess)
		return len(bodies) >= count
	})
	return bodies
}

func pullPoll(t *trial) {
	topic := t.topic(2)
	t.sendAll(t.producer(), topic, 30, nil)
	t.eachOnce(poll(t, t.pull(topic, all), 30), 30)
}

func pullAssigned(t *trial) {
	topic := t.topic(2)
	t.sendAll(t.producer(), topic, 20, nil)
	client, err := rocketmq.NewPullConsumer(t.consumerOptions(nil)...)
	t.noError(err, "making a pull consumer")
	queues := []*primitive.MessageQueue{{Topic: topic, BrokerName: t.brokerName(topic), QueueId: 1}}
	t.noError(client.Assign(topic, queues), "assigning")
	t.noError(client.Start(), "starting")
	t.later(client.Shutdown)
	bodies := poll(t, client, 10)
	t.check(len(bodies) == 10, "it got %v", bodies)
}
