package conformance;

import static conformance.Trial.bytes;
import static conformance.Trial.check;
import static conformance.Trial.eachOnce;
import static conformance.Trial.equal;
import static conformance.Trial.text;
import static conformance.Trial.until;

import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Every way to consume. */
final class Consuming {
    static void list(Map<String, Main.Scenario> scenarios) {
        scenarios.put("push.clustering", t -> clustering(t, client -> {}));
        scenarios.put("push.heartbeat-2", t -> clustering(t, client -> client.setUseHeartbeatV2(true)));
        scenarios.put("push.stream-request", t -> clustering(t, client -> client.setEnableStreamRequestType(true)));
        scenarios.put("push.vip-channel", t -> clustering(t, client -> client.setVipChannelEnabled(true)));
        scenarios.put("push.unit", t -> clustering(t, client -> {
            client.setUnitName("unit");
            client.setUnitMode(true);
        }));
        scenarios.put("push.broadcasting", Consuming::broadcasting);
        scenarios.put("push.orderly", Consuming::orderly);
        scenarios.put("push.tags", Consuming::tags);
        scenarios.put("push.sql", Consuming::sql);
        scenarios.put("push.retry", Consuming::retry);
        scenarios.put("push.dead-letter", Consuming::deadLetter);
        scenarios.put("push.resumes", Consuming::resumes);
        scenarios.put("pull.statuses", Consuming::pullStatuses);
        scenarios.put("pull.held", Consuming::pullHeld);
        scenarios.put("lite-pull.subscribed", t -> LitePull.subscribed(t));
        scenarios.put("lite-pull.assigned", t -> LitePull.assigned(t));
    }

    private static Set<String> bodies(Trial.Inbox... inboxes) {
        Set<String> bodies = new TreeSet<>();
        for (Trial.Inbox inbox : inboxes) for (MessageExt message : inbox.got()) bodies.add(text(message));
        return bodies;
    }

    /** Two members share the queues. */
    private static void clustering(Trial t, Trial.Setting<DefaultMQPushConsumer> setting) throws Exception {
        String topic = t.topic(4);
        Trial.Inbox first = t.push(topic, setting);
        Trial.Inbox second = t.push(topic, setting);
        DefaultMQProducer client = t.producer();
        AtomicInteger sent = new AtomicInteger();
        until("both members to have messages", () -> {
            for (int times = 0; times < 8; times++) client.send(new Message(topic, bytes(sent.getAndIncrement())));
            Thread.sleep(200);
            return !first.got().isEmpty() && !second.got().isEmpty();
        });
        until("all messages", () -> bodies(first, second).size() == sent.get());
    }

    /** MessageModel has moved between packages: the client's own method tells where it is. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static void broadcast(DefaultMQPushConsumer client) throws Exception {
        for (Method method : DefaultMQPushConsumer.class.getMethods()) {
            if (!method.getName().equals("setMessageModel")) continue;
            method.invoke(client, Enum.valueOf((Class) method.getParameterTypes()[0], "BROADCASTING"));
        }
    }

    private static void broadcasting(Trial t) throws Exception {
        String topic = t.topic(4);
        Trial.Inbox first = t.push(topic, Consuming::broadcast);
        Trial.Inbox second = t.push(topic, Consuming::broadcast);
        t.sendAll(t.producer(), topic, 20);
        first.await(20);
        second.await(20);
        eachOnce(first.got(), 20);
        eachOnce(second.got(), 20);
    }

    private static void orderly(Trial t) throws Exception {
        String topic = t.topic(4);
        t.sendAll(t.producer(), topic, 40);
        Trial.Inbox inbox = new Trial.Inbox();
        DefaultMQPushConsumer client = t.prepared(new DefaultMQPushConsumer("C-" + t.id));
        client.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        client.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            messages.forEach(inbox::add);
            return ConsumeOrderlyStatus.SUCCESS;
        });
        client.subscribe(topic, "*");
        client.start();
        t.later(client::shutdown);
        inbox.await(40);
        eachOnce(inbox.got(), 40);
        Map<Integer, Long> next = new HashMap<>();
        for (MessageExt message : inbox.got()) {
            long wanted = next.merge(message.getQueueId(), 1L, Long::sum) - 1;
            equal("next of queue " + message.getQueueId(), wanted, message.getQueueOffset());
        }
    }

    private static void tags(Trial t) throws Exception {
        String topic = t.topic(2);
        // "Aa" and "BB" have the same hash: the client tells them apart.
        String[] tags = {"Aa", "BB", "C", "D"};
        t.sendAll(t.producer(), topic, 40, (index, message) -> message.setTags(tags[index % 4]));
        Trial.Inbox inbox = t.push(topic, client -> client.subscribe(topic, "Aa || C"));
        inbox.await(20);
        equal("different messages", 20, bodies(inbox).size());
        for (MessageExt message : inbox.got()) check("Aa C".contains(message.getTags()), "it got " + message.getTags());
    }

    private static void sql(Trial t) throws Exception {
        String topic = t.topic(1);
        t.sendAll(t.producer(), topic, 20, (index, message) -> {
            message.putUserProperty("number", "" + index);
            message.putUserProperty("colour", index % 2 == 0 ? "red" : "blue");
        });
        MessageSelector selector = MessageSelector.bySql("number BETWEEN 4 AND 11 AND colour = 'red'");
        Trial.Inbox inbox = t.push(topic, client -> client.subscribe(topic, selector));
        inbox.await(4);
        equal("messages", "[10, 4, 6, 8]", bodies(inbox).toString());
    }

    private static void retry(Trial t) throws Exception {
        String topic = t.topic(1);
        t.topic("%RETRY%C-" + t.id, 1);
        t.sendAll(t.producer(), topic, 2);
        Trial.Inbox inbox = new Trial.Inbox();
        AtomicInteger refused = new AtomicInteger();
        t.push(topic, (messages, context) -> {
            if (text(messages.get(0)).equals("0") && refused.incrementAndGet() <= 2) {
                return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            }
            messages.forEach(inbox::add);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        }, client -> {});
        inbox.await(2);
        for (MessageExt message : inbox.got()) {
            equal("topic", topic, message.getTopic());
            equal("times consumed before", text(message).equals("0") ? 2 : 0, message.getReconsumeTimes());
        }
    }

    private static void deadLetter(Trial t) throws Exception {
        String topic = t.topic(1);
        t.topic("%RETRY%C-" + t.id, 1);
        t.sendAll(t.producer(), topic, 1);
        t.push(topic, (messages, context) -> ConsumeConcurrentlyStatus.RECONSUME_LATER,
            client -> client.setMaxReconsumeTimes(1));
        String letters = "%DLQ%C-" + t.id;
        DefaultMQPullConsumer client = t.pull(c -> {});
        until("the dead letter's topic", () -> {
            try {
                return !client.fetchSubscribeMessageQueues(letters).isEmpty();
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
        MessageExt letter = t.read(letters, 1).get(0);
        equal("body", "0", text(letter));
        equal("its topic before", topic, letter.getProperty("RETRY_TOPIC"));
    }

    private static void resumes(Trial t) throws Exception {
        String topic = t.topic(1);
        DefaultMQProducer client = t.producer();
        t.sendAll(client, topic, 5);
        Trial.Inbox first = t.push(topic, c -> {});
        first.await(5);
        // It commits what it finished: the last listener's return may be a moment away.
        MessageQueue queue = client.fetchPublishMessageQueues(topic).get(0);
        until("its offset", () -> first.client.getOffsetStore().readOffset(queue,
            org.apache.rocketmq.client.consumer.store.ReadOffsetType.READ_FROM_MEMORY) == 5);
        first.client.shutdown();
        for (int index = 5; index < 10; index++) client.send(new Message(topic, bytes(index)));
        Trial.Inbox second = t.push(topic, c -> {});
        second.await(5);
        equal("messages", "[5, 6, 7, 8, 9]", bodies(second).toString());
    }

    private static void pullStatuses(Trial t) throws Exception {
        String topic = t.topic(1);
        t.sendAll(t.producer(), topic, 40);
        eachOnce(t.read(topic, 40), 40);
        DefaultMQPullConsumer client = t.pull(c -> {});
        MessageQueue queue = client.fetchSubscribeMessageQueues(topic).iterator().next();
        PullResult result = client.pull(queue, "*", 5, 10);
        equal("status", PullStatus.FOUND, result.getPullStatus());
        equal("messages", 10, result.getMsgFoundList().size());
        equal("next, min, max", "15, 0, 40",
            result.getNextBeginOffset() + ", " + result.getMinOffset() + ", " + result.getMaxOffset());
        equal("other tag", PullStatus.NO_MATCHED_MSG, client.pull(queue, "Other", 0, 10).getPullStatus());
        equal("at the end", PullStatus.NO_NEW_MSG, client.pull(queue, "*", 40, 10).getPullStatus());
        PullResult beyond = client.pull(queue, "*", 100, 10);
        equal("beyond", PullStatus.OFFSET_ILLEGAL, beyond.getPullStatus());
        equal("next from beyond", 40L, beyond.getNextBeginOffset());
        client.updateConsumeOffset(queue, 17);
        client.getDefaultMQPullConsumerImpl().getOffsetStore().persist(queue);
        until("the offset", () -> client.fetchConsumeOffset(queue, true) == 17);
    }

    private static void pullHeld(Trial t) throws Exception {
        String topic = t.topic(1);
        DefaultMQPullConsumer client = t.pull(c -> {});
        DefaultMQProducer sender = t.producer();
        MessageQueue queue = client.fetchSubscribeMessageQueues(topic).iterator().next();
        Thread later = new Thread(() -> {
            try {
                Thread.sleep(500);
                sender.send(new Message(topic, bytes("at last")));
            } catch (Exception e) {
                System.err.println(t.id + ": " + e);
            }
        });
        later.start();
        PullResult result = client.pullBlockIfNotFound(queue, "*", 0, 32);
        later.join();
        equal("status", PullStatus.FOUND, result.getPullStatus());
        equal("message", "at last", text(result.getMsgFoundList().get(0)));
    }
}
