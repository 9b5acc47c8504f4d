package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func sendSync(t *trial) {
	topic := t.topic(1)
	results := t.sendAll(t.producer(), topic, 10, nil)
	for index, result := range results {
		t.check(result.QueueOffset == int64(index), "message %d has offset %d", index, result.QueueOffset)
		t.check(len(result.MsgID) == 32 && len(result.OffsetMsgID) == 32, "ids %q, %q", result.MsgID, result.OffsetMsgID)
		t.check(result.RegionID == "DefaultRegion" && result.TraceOn, "region %q, trace %v", result.RegionID, result.TraceOn)
		place, err := primitive.UnmarshalMsgID([]byte(result.OffsetMsgID))
		t.noError(err, "reading the offset id")
		t.check(fmt.Sprintf("%s:%d", place.Addr, place.Port) == t.broker, "the offset id names %s:%d", place.Addr, place.Port)
	}
	for index, message := range t.readQueue(topic, 0, 10) {
		t.check(message.MsgId == results[index].MsgID, "message %d came back as %s", index, message.MsgId)
		t.check(message.OffsetMsgId == results[index].OffsetMsgID, "message %d has offset id %s", index, message.OffsetMsgId)
	}
}

func sendAsync(t *trial) {
	topic, count := t.topic(1), 200
	client := t.producer()
	var waiting sync.WaitGroup
	failures := make(chan error, count)
	for index := range count {
		waiting.Add(1)
		message := primitive.NewMessage(topic, []byte(fmt.Sprint(index)))
		err := client.SendAsync(context.Background(), func(_ context.Context, result *primitive.SendResult, err error) {
			defer waiting.Done()
			if err != nil {
				failures <- err
			} else if result.Status != primitive.SendOK {
				failures <- fmt.Errorf("send status %d", result.Status)
			}
		}, message)
		t.noError(err, "sending")
	}
	waiting.Wait()
	t.check(len(failures) == 0, "%d sends failed", len(failures))
	bodies := map[string]int{}
	for _, message := range t.readQueue(topic, 0, count) {
		bodies[string(message.Body)]++
	}
	t.eachOnce(bodies, count)
}

func sendOneway(t *trial) {
	topic := t.topic(1)
	client := t.producer()
	for index := range 20 {
		t.noError(client.SendOneWay(context.Background(), primitive.NewMessage(topic, []byte(fmt.Sprint(index)))), "sending")
	}
	bodies := map[string]int{}
	for _, message := range t.readQueue(topic, 0, 20) {
		bodies[string(message.Body)]++
	}
	t.eachOnce(bodies, 20)
}

func sendBatch(t *trial) {
	topic := t.topic(1)
	var messages []*primitive.Message
	for index := range 5 {
		message := primitive.NewMessage(topic, []byte(fmt.Sprint(index)))
		messages = append(messages, message.WithTag("tag").WithKeys([]string{fmt.Sprintf("key%d", index)}))
	}
	result, err := t.producer().SendSync(context.Background(), messages...)
	t.noError(err, "sending")
	t.check(result.Status == primitive.SendOK && result.QueueOffset == 0, "status %d, offset %d", result.Status, result.QueueOffset)
	ids := strings.Split(result.OffsetMsgID, ",")
	t.check(len(ids) == 5, "the offset ids are %q", result.OffsetMsgID)
	for index, message := range t.readQueue(topic, 0, 5) {
		t.check(string(message.Body) == fmt.Sprint(index), "message %d is %q", index, message.Body)
		t.check(message.GetKeys() == fmt.Sprintf("key%d", index) && message.GetTags() == "tag", "properties %v", message.GetProperties())
		t.check(message.OffsetMsgId == ids[index], "offset id %s, not %s", message.OffsetMsgId, ids[index])
	}
}

func sendUnicode(t *trial) {
	topic, text := t.topic(1), "grüß dich, 消息, 🐙, Ω≈ç√"
	message := primitive.NewMessage(topic, []byte(text)).WithTag("标签").WithKeys([]string{"schlüssel", "🔑"})
	message.WithProperty("größe", text)
	message.Flag = 42
	_, err := t.producer().SendSync(context.Background(), message)
	t.noError(err, "sending")
	found := t.readQueue(topic, 0, 1)[0]
	t.check(string(found.Body) == text && found.GetProperty("größe") == text, "came back as %q", found.Body)
	t.check(found.GetTags() == "标签" && found.GetKeys() == "schlüssel 🔑", "tags %q, keys %q", found.GetTags(), found.GetKeys())
	t.check(found.Flag == 42, "the flag is %d", found.Flag)
}

func sendCompressed(t *trial) {
	topic, body := t.topic(1), bytes.Repeat([]byte("compress me "), 50_000)
	_, err := t.producer().SendSync(context.Background(), primitive.NewMessage(topic, body))
	t.noError(err, "sending")
	found := t.readQueue(topic, 0, 1)[0]
	t.check(bytes.Equal(found.Body, body), "the body has %d bytes", len(found.Body))
	t.check(found.StoreSize < 10_000, "the record has %d bytes", found.StoreSize)
}

func sendLargest(t *trial) {
	topic := t.topic(1)
	client := t.producer(producer.WithCompressMsgBodyOverHowmuch(1 << 30))
	body := make([]byte, 4*1024*1024)
	rand.New(rand.NewSource(1)).Read(body)
	_, err := client.SendSync(context.Background(), primitive.NewMessage(topic, body))
	t.noError(err, "sending 4 MiB")
	_, err = client.SendSync(context.Background(), primitive.NewMessage(topic, append(body, 0)))
	t.check(err != nil && strings.Contains(err.Error(), "CODE: 13"), "a byte more: %v", err)
	found := t.readQueue(topic, 0, 1)[0]
	t.check(bytes.Equal(found.Body, body), "the body has %d bytes", len(found.Body))
}

func sendByKey(t *trial) {
	topic := t.topic(4)
	client := t.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	results := t.sendAll(client, topic, 40, func(index int, message *primitive.Message) {
		message.WithShardingKey(fmt.Sprintf("order-%d", index%8))
	})
	for index, result := range results {
		t.check(result.MessageQueue.QueueId == results[index%8].MessageQueue.QueueId, "order %d is in two queues", index%8)
	}
}

func sendCreatesTopic(t *trial) {
	result, err := t.producer().SendSync(context.Background(), primitive.NewMessage(t.id, []byte("first")))
	t.noError(err, "sending")
	t.until("the topic's route", func() bool {
		queues, err := t.admin().FetchPublishMessageQueues(context.Background(), t.id)
		return err == nil && len(queues) == 4
	})
	found := t.readQueue(t.id, result.MessageQueue.QueueId, 1)[0]
	t.check(string(found.Body) == "first", "came back as %q", found.Body)
}

// The first name server of the list is down.
func sendNameServers(t *trial) {
	topic := t.topic(1)
	servers := primitive.NamesrvAddr{"127.0.0.1:1", t.nameServer}
	client := t.producer(producer.WithNameServer(servers))
	t.sendAll(client, topic, 3, nil)
	box := t.push(topic, all, consumer.WithNameServer(servers))
	t.until("3 messages", func() bool { return box.count() == 3 })
}

func sendNamespace(t *trial) {
	space := "NS-" + t.id
	t.createTopic(space+"%Inside", 2)
	client := t.producer(producer.WithNamespace(space))
	t.sendAll(client, "Inside", 6, nil)
	box := t.push("Inside", all, consumer.WithNamespace(space))
	t.until("6 messages", func() bool { return box.count() == 6 })
	t.eachOnce(bodiesOf(box), 6)
	for _, message := range box.got() {
		t.check(message.Topic == space+"%Inside", "the topic is %s", message.Topic)
	}
}

func sendTrace(t *trial) {
	topic, traces := t.topic(1), t.id+"-traces"
	t.createTopic(traces, 1)
	client := t.producer(producer.WithTrace(&primitive.TraceConfig{
		TraceTopic: traces, GroupName: "T-" + t.id, Access: primitive.Local, NamesrvAddrs: t.nameServers(),
		Resolver: primitive.NewPassthroughResolver([]string{t.nameServer}),
	}))
	result := t.sendAll(client, topic, 1, nil)[0]
	t.until("its trace", func() bool {
		found := t.readQueue(traces, 0, 1)
		return strings.Contains(string(found[0].Body), result.MsgID)
	})
}

func sendDelayed(t *trial) {
	topic := t.topic(1)
	box := t.push(topic, all)
	client := t.producer()
	began := time.Now()
	t.sendAll(client, topic, 3, func(index int, message *primitive.Message) { message.WithDelayTimeLevel(2 * index) })
	t.until("3 messages", func() bool { return box.count() == 3 })
	for _, message := range box.got() {
		// Messages of one pull are consumed in any order; what counts is when they came into the queue.
		t.check(string(message.Body) == fmt.Sprint(message.QueueOffset), "message %s has offset %d", message.Body, message.QueueOffset)
		t.check(message.Topic == topic, "the topic is %s", message.Topic)
	}
	// Level 4 is 30 s in the default table; the tests set it to "1s 2s 3s 4s".
	took := time.Since(began)
	t.check(took >= 3500*time.Millisecond, "level 4 came after %v", took)
}

func sendRequestReply(t *trial) {
	topic := t.topic(1)
	answering := t.producer(producer.WithGroupName("A-" + t.id))
	t.pushTo(topic, all, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			// This client takes properties for the body of a reply.
			reply, err := consumer.CreateReplyMessage(message, []byte("answer\x01"+string(message.Body)+"\x02"))
			// The broker knows the asking producer from its first heartbeat on, which may come after its question.
			for end := time.Now().Add(8 * time.Second); err == nil && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
				if _, refused := answering.SendSync(context.Background(), reply); refused == nil {
					break
				}
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	client := t.producer()
	reply, err := client.Request(context.Background(), 10*time.Second, primitive.NewMessage(topic, []byte("question")))
	t.noError(err, "asking")
	t.check(reply.GetProperty("answer") == "question", "the reply has properties %v", reply.GetProperties())
}

func adminTopics(t *trial) {
	client, ctx := t.admin(), context.Background()
	topic := t.topic(3)
	list, err := client.FetchAllTopicList(ctx)
	t.noError(err, "listing topics")
	names := strings.Join(list.TopicList, " ")
	t.check(strings.Contains(names, topic), "the list lacks it: %s", names)
	clusters, err := client.FetchClusterList(topic)
	t.noError(err, "asking for the clusters")
	t.check(len(clusters) == 1 && clusters[0] == "DefaultCluster", "the clusters are %v", clusters)
}

func adminGroups(t *trial) {
	topic := t.topic(1)
	box := t.push(topic, all)
	t.sendAll(t.producer(), topic, 1, nil)
	t.until("the message", func() bool { return box.count() == 1 })
	groups, err := t.admin().GetAllSubscriptionGroup(context.Background(), t.broker, 5*time.Second)
	t.noError(err, "listing groups")
	group, found := groups.SubscriptionGroupTable["C-"+t.id]
	t.check(found, "the group is not among %d", len(groups.SubscriptionGroupTable))
	t.check(group.ConsumeEnable && group.RetryQueueNums == 1 && group.RetryMaxTimes == 16, "the group is %+v", group)
}

func adminDeletedTopic(t *trial) {
	client, ctx := t.admin(), context.Background()
	topic := t.topic(1)
	t.sendAll(t.producer(), topic, 1, nil)
	t.readQueue(topic, 0, 1)
	t.noError(client.DeleteTopic(ctx, admin.WithTopicDelete(topic), admin.WithBrokerAddrDelete(t.broker)), "deleting")
	t.until("the end of its route", func() bool {
		list, err := client.FetchAllTopicList(ctx)
		return err == nil && !strings.Contains(" "+strings.Join(list.TopicList, " ")+" ", " "+topic+" ")
	})
	// Made anew, it has nothing of what was there.
	t.createTopic(topic, 1)
	_, err := t.producer().SendSync(ctx, primitive.NewMessage(topic, []byte("anew")))
	t.noError(err, "sending")
	found := t.readQueue(topic, 0, 1)
	t.check(len(found) == 1 && string(found[0].Body) == "anew", "%d messages, the first is %q", len(found), found[0].Body)
}

// This client does not look at the answer, so what counts is that the topic is not there.
func adminRefusedTopics(t *trial) {
	client, ctx := t.admin(), context.Background()
	_ = client.CreateTopic(ctx, admin.WithTopicCreate("TBW102"), admin.WithBrokerAddrCreate(t.broker), admin.WithReadQueueNums(77),
		admin.WithWriteQueueNums(77))
	_ = client.CreateTopic(ctx, admin.WithTopicCreate("bad/name?"), admin.WithBrokerAddrCreate(t.broker))
	t.topic(1)
	list, err := client.FetchAllTopicList(ctx)
	t.noError(err, "listing topics")
	t.check(!strings.Contains(strings.Join(list.TopicList, " "), "bad/name?"), "bad/name? was made")
	queues, err := client.FetchPublishMessageQueues(ctx, "TBW102")
	t.check(err == nil && len(queues) != 77, "TBW102 has %d queues, %v", len(queues), err)
}
