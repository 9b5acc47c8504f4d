package conformance;

import static conformance.Trial.bytes;
import static conformance.Trial.check;
import static conformance.Trial.eachOnce;
import static conformance.Trial.equal;
import static conformance.Trial.text;
import static conformance.Trial.until;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Every way to send. */
final class Sending {
    static void list(Map<String, Main.Scenario> scenarios) {
        scenarios.put("send.sync", Sending::sync);
        scenarios.put("send.async", t -> async(t, client -> {}));
        scenarios.put("send.async-backpressure", t -> async(t, client -> client.setEnableBackpressureForAsyncMode(true)));
        scenarios.put("send.oneway", Sending::oneway);
        scenarios.put("send.batch", Sending::batch);
        scenarios.put("send.auto-batch", t -> async(t, client -> client.setAutoBatch(true)));
        scenarios.put("send.vip-channel", t -> {
            String topic = t.topic(1);
            t.sendAll(t.producer(client -> client.setVipChannelEnabled(true)), topic, 3);
            eachOnce(t.read(topic, 3), 3);
        });
        scenarios.put("send.latency-detector", t -> {
            String topic = t.topic(1);
            t.sendAll(t.producer(client -> {
                client.setSendLatencyFaultEnable(true);
                client.setStartDetectorEnable(true);
            }), topic, 3);
        });
        scenarios.put("send.zlib", t -> compressed(t, CompressionType.ZLIB));
        scenarios.put("send.lz4", t -> compressed(t, CompressionType.LZ4));
        scenarios.put("send.zstd", t -> compressed(t, CompressionType.ZSTD));
        scenarios.put("send.largest", Sending::largest);
        scenarios.put("send.unicode", Sending::unicode);
        scenarios.put("send.by-key", Sending::byKey);
        scenarios.put("send.creates-topic", Sending::createsTopic);
        scenarios.put("send.topic-attributes", Sending::topicAttributes);
        scenarios.put("send.name-servers", Sending::nameServers);
        scenarios.put("send.namespace", Sending::namespace);
        scenarios.put("send.namespace-2", Sending::namespace2);
        scenarios.put("send.trace", Sending::trace);
        scenarios.put("send.delayed", Sending::delayed);
        scenarios.put("send.recall", Sending::recall);
        scenarios.put("send.request-reply", t -> Replies.ask(t, false));
        scenarios.put("send.request-reply-async", t -> Replies.ask(t, true));
    }

    private static void sync(Trial t) throws Exception {
        String topic = t.topic(1);
        List<SendResult> results = t.sendAll(t.producer(), topic, 10);
        List<MessageExt> found = t.read(topic, 10);
        for (int index = 0; index < 10; index++) {
            SendResult result = results.get(index);
            equal("queue offset", (long) index, result.getQueueOffset());
            equal("region", "DefaultRegion", result.getRegionId());
            equal("message id", result.getMsgId(), found.get(index).getMsgId());
            equal("body", "" + index, text(found.get(index)));
            equal("store host", t.broker, found.get(index).getStoreHost().toString().replaceFirst("^.*/", ""));
        }
    }

    private static void async(Trial t, Trial.Setting<DefaultMQProducer> setting) throws Exception {
        int count = 200;
        String topic = t.topic(1);
        DefaultMQProducer client = t.producer(setting);
        CountDownLatch answers = new CountDownLatch(count);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int index = 0; index < count; index++) {
            client.send(new Message(topic, bytes(index)), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    if (result.getSendStatus() != SendStatus.SEND_OK) failure.set(new Exception(result.toString()));
                    answers.countDown();
                }

                @Override
                public void onException(Throwable e) {
                    failure.set(e);
                    answers.countDown();
                }
            });
        }
        check(answers.await(20, TimeUnit.SECONDS), answers.getCount() + " sends have no answer");
        check(failure.get() == null, "a send failed: " + failure.get());
        eachOnce(t.read(topic, count), count);
    }

    private static void oneway(Trial t) throws Exception {
        String topic = t.topic(1);
        DefaultMQProducer client = t.producer();
        for (int index = 0; index < 20; index++) client.sendOneway(new Message(topic, bytes(index)));
        eachOnce(t.read(topic, 20), 20);
    }

    private static void batch(Trial t) throws Exception {
        String topic = t.topic(1);
        List<Message> messages = new ArrayList<>();
        for (int index = 0; index < 5; index++) messages.add(new Message(topic, "tag", "key" + index, bytes(index)));
        SendResult result = t.producer().send(messages);
        equal("status", SendStatus.SEND_OK, result.getSendStatus());
        equal("ids", 5, result.getMsgId().split(",").length);
        List<MessageExt> found = t.read(topic, 5);
        eachOnce(found, 5);
        for (int index = 0; index < 5; index++) equal("keys", "key" + index, found.get(index).getKeys());
    }

    /** The body stays as it was compressed, and the flags that tell how come back with it. */
    private static void compressed(Trial t, CompressionType type) throws Exception {
        String topic = t.topic(1);
        byte[] body = bytes("compress me ".repeat(50_000));
        t.producer(client -> client.setCompressType(type)).send(new Message(topic, body));
        MessageExt found = t.read(topic, 1).get(0);
        check(Arrays.equals(body, found.getBody()), "the body has " + found.getBody().length + " bytes");
        check(found.getStoreSize() < 10_000, "the record has " + found.getStoreSize() + " bytes");
    }

    private static void largest(Trial t) throws Exception {
        String topic = t.topic(1);
        byte[] body = new byte[4 * 1024 * 1024];
        new Random(1).nextBytes(body);
        DefaultMQProducer client = t.producer(c -> {
            c.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
            c.setMaxMessageSize(Integer.MAX_VALUE);
            c.setRetryTimesWhenSendFailed(0);
        });
        client.send(new Message(topic, body));
        try {
            client.send(new Message(topic, Arrays.copyOf(body, body.length + 1)));
            check(false, "a byte more was taken");
        } catch (MQBrokerException e) {
            equal("code for a byte more", 13, e.getResponseCode());
        }
        check(Arrays.equals(body, t.read(topic, 1).get(0).getBody()), "the body came back changed");
    }

    private static void unicode(Trial t) throws Exception {
        String topic = t.topic(1);
        String words = "grüß dich, 消息, 🐙, Ω≈ç√";
        Message message = new Message(topic, "标签", "schlüssel 🔑", 42, bytes(words), true);
        message.putUserProperty("größe", words);
        t.producer().send(message);
        MessageExt found = t.read(topic, 1).get(0);
        equal("body", words, text(found));
        equal("property", words, found.getUserProperty("größe"));
        equal("tags", "标签", found.getTags());
        equal("keys", "schlüssel 🔑", found.getKeys());
        equal("flag", 42, found.getFlag());
    }

    private static void byKey(Trial t) throws Exception {
        String topic = t.topic(4);
        DefaultMQProducer client = t.producer();
        for (int index = 0; index < 40; index++) {
            int order = index % 4;
            SendResult result = client.send(new Message(topic, bytes(index)),
                (queues, message, key) -> queues.get((Integer) key % queues.size()), order);
            equal("queue of order " + order, order, result.getMessageQueue().getQueueId());
        }
        List<MessageExt> found = t.read(topic, 40);
        eachOnce(found, 40);
        int[] next = {0, 1, 2, 3};
        for (MessageExt message : found) {
            int order = message.getQueueId();
            equal("next of order " + order, "" + next[order], text(message));
            next[order] += 4;
        }
    }

    private static void createsTopic(Trial t) throws Exception {
        DefaultMQProducer client = t.producer();
        t.sendAll(client, t.id, 3);
        until("its queues", () -> {
            try {
                return client.fetchPublishMessageQueues(t.id).size() == 4;
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
        eachOnce(t.read(t.id, 3), 3);
    }

    /** A 5.x client may name attributes of a topic; a broker of 4.x makes the topic without them. */
    private static void topicAttributes(Trial t) throws Exception {
        DefaultMQProducer client = t.producer();
        client.createTopic("TBW102", t.id, 2, Map.of("message.type", "NORMAL"));
        until("its queues", () -> {
            try {
                return client.fetchPublishMessageQueues(t.id).size() == 2;
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
        t.sendAll(client, t.id, 2);
    }

    /** The first of the list is down. */
    private static void nameServers(Trial t) throws Exception {
        String topic = t.topic(1);
        String servers = "127.0.0.1:1;" + t.nameServer;
        DefaultMQProducer producer = t.producer(client -> client.setNamesrvAddr(servers));
        // Until it has tried them all, this client may say that it has none.
        until("a send", () -> {
            try {
                return producer.send(new Message(topic, bytes("found"))).getSendStatus() == SendStatus.SEND_OK;
            } catch (IllegalStateException | org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
        t.sendAll(producer, topic, 2);
        eachOnce(t.read(topic, 3).subList(1, 3), 2);
    }

    @SuppressWarnings("deprecation")
    private static void namespace(Trial t) throws Exception {
        String space = "NS-" + t.id;
        t.topic(space + "%Inside", 2);
        t.sendAll(t.producer(client -> client.setNamespace(space)), "Inside", 6);
        Trial.Inbox inbox = t.push("Inside", client -> client.setNamespace(space));
        inbox.await(6);
        eachOnce(inbox.got(), 6);
        for (MessageExt message : inbox.got()) equal("topic", "Inside", message.getTopic());
    }

    /** Namespaces of 5.x travel as fields of their own, which a broker of 4.x does not know. */
    private static void namespace2(Trial t) throws Exception {
        String topic = t.topic(1);
        t.sendAll(t.producer(client -> client.setNamespaceV2("NS-" + t.id)), topic, 3);
        t.push(topic, client -> client.setNamespaceV2("NS-" + t.id)).await(3);
    }

    private static void trace(Trial t) throws Exception {
        String topic = t.topic(1);
        String traces = t.topic(t.id + "-traces", 1);
        DefaultMQProducer client = t.prepared(new DefaultMQProducer("P-" + t.id, null, true, traces));
        client.start();
        t.later(client::shutdown);
        String id = t.sendAll(client, topic, 1).get(0).getMsgId();
        check(text(t.read(traces, 1).get(0)).contains(id), "the trace does not name the message");
    }

    /** Level 4 is 4 s where the tests start the broker. */
    private static void delayed(Trial t) throws Exception {
        String topic = t.topic(1);
        Trial.Inbox inbox = t.push(topic, client -> {});
        long began = System.currentTimeMillis();
        t.sendAll(t.producer(), topic, 3, (index, message) -> message.setDelayTimeLevel(2 * index));
        inbox.await(3);
        // Messages of one pull are consumed in any order; what counts is when they came into the queue.
        for (MessageExt message : inbox.got()) equal("queue offset of " + text(message), text(message), "" + message.getQueueOffset());
        long took = System.currentTimeMillis() - began;
        check(took >= 3500, "level 4 came after " + took + " ms");
    }

    /** Recalling came with 5.3.1: any answer but silence. */
    private static void recall(Trial t) throws Exception {
        String topic = t.topic(1);
        DefaultMQProducer client = t.producer();
        t.sendAll(client, topic, 1);
        String handle = java.util.Base64.getUrlEncoder().encodeToString(
            bytes("v1 " + topic + " broker-a " + (System.currentTimeMillis() + 60_000) + " 7F0000010000000000000000"));
        try {
            client.recallMessage(topic, handle);
            check(false, "it was recalled");
        } catch (MQBrokerException e) {
            equal("code", 3, e.getResponseCode());
        }
    }
}
