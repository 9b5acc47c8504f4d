package conformance;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Gives a scenario its names, clients and checks, and shuts its clients down. */
final class Trial implements AutoCloseable {
    static final long LIMIT_MS = 30_000;

    /** The claim does not hold. */
    static final class Failure extends RuntimeException {
        Failure(String message) {
            super(message);
        }

        @Override
        public String toString() {
            return getMessage();
        }
    }

    /** How a scenario changes a client before its start. */
    interface Setting<T> {
        void apply(T client) throws Exception;
    }

    interface End {
        void run() throws Exception;
    }

    final String id;
    final String nameServer;
    final String broker;
    private final Deque<End> ends = new ArrayDeque<>();
    private DefaultMQProducer topics;
    private int clients;

    Trial(String scenario, String nameServer, String broker) {
        this.id = scenario.replace('.', '-') + "-" + Long.toString(System.currentTimeMillis(), 36);
        this.nameServer = nameServer;
        this.broker = broker;
    }

    synchronized void later(End end) {
        ends.push(end);
    }

    @Override
    public synchronized void close() {
        for (End end : ends) {
            try {
                end.run();
            } catch (Exception e) {
                System.err.println(id + ": " + e);
            }
        }
    }

    // ---- checks ----

    static void check(boolean holds, String otherwise) {
        if (!holds) throw new Failure(otherwise);
    }

    static void equal(String what, Object wanted, Object found) {
        check(Objects.equals(wanted, found), what + ": " + found + " and not " + wanted);
    }

    static void until(String what, Callable<Boolean> holds) throws Exception {
        for (long end = System.currentTimeMillis() + LIMIT_MS; !holds.call(); Thread.sleep(20)) {
            check(System.currentTimeMillis() < end, "waited " + LIMIT_MS + " ms for " + what);
        }
    }

    // ---- clients ----

    /** Clients of one instance name would share their connections. */
    synchronized <T extends ClientConfig> T prepared(T client) {
        client.setNamesrvAddr(nameServer);
        client.setInstanceName(id + "-" + ++clients);
        client.setVipChannelEnabled(false);
        // Its heartbeat after a rebalance is dropped while another one is under way, and until the next heartbeat the
        // broker knows an older subscription than the one pulled with: SUBSCRIPTION_NOT_LATEST, for 30 s by default.
        client.setHeartbeatBrokerInterval(3000);
        return client;
    }

    DefaultMQProducer producer() throws Exception {
        return producer(client -> {});
    }

    DefaultMQProducer producer(Setting<DefaultMQProducer> setting) throws Exception {
        DefaultMQProducer client = prepared(new DefaultMQProducer("P-" + id + "-" + clients));
        client.setSendMsgTimeout(10_000);
        setting.apply(client);
        client.start();
        later(client::shutdown);
        return client;
    }

    /** A topic of its own with that many queues. */
    String topic(int queues) throws Exception {
        return topic(id, queues);
    }

    String topic(String name, int queues) throws Exception {
        if (topics == null) topics = producer();
        create(topics, name, queues);
        until("the route of " + name, () -> {
            try {
                return topics.fetchPublishMessageQueues(name).size() == queues;
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
        return name;
    }

    private static void create(DefaultMQProducer client, String name, int queues) throws Exception {
        try {
            client.createTopic("TBW102", name, queues, Map.of());
        } catch (NoSuchMethodError e) {
            // Clients of 4.x know no attributes.
            client.getClass().getMethod("createTopic", String.class, String.class, int.class)
                .invoke(client, "TBW102", name, queues);
        }
    }

    List<SendResult> sendAll(DefaultMQProducer client, String topic, int count) throws Exception {
        return sendAll(client, topic, count, (index, message) -> {});
    }

    interface Shape {
        void apply(int index, Message message);
    }

    /** Sends bodies 0, 1, … one after the other. */
    List<SendResult> sendAll(DefaultMQProducer client, String topic, int count, Shape shape) throws Exception {
        List<SendResult> results = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            Message message = new Message(topic, bytes(index));
            shape.apply(index, message);
            SendResult result = client.send(message);
            equal("send status", SendStatus.SEND_OK, result.getSendStatus());
            results.add(result);
        }
        return results;
    }

    DefaultMQPullConsumer pull(Setting<DefaultMQPullConsumer> setting) throws Exception {
        DefaultMQPullConsumer client = prepared(new DefaultMQPullConsumer("C-" + id + "-" + clients));
        setting.apply(client);
        client.start();
        later(client::shutdown);
        return client;
    }

    /** The first {@code count} messages of the topic's queues. */
    List<MessageExt> read(String topic, int count) throws Exception {
        DefaultMQPullConsumer client = pull(c -> {});
        List<MessageExt> found = new ArrayList<>();
        Map<MessageQueue, Long> next = new TreeMap<>();
        for (MessageQueue queue : client.fetchSubscribeMessageQueues(topic)) next.put(queue, 0L);
        until(count + " messages of " + topic + ", not " + found.size(), () -> {
            for (MessageQueue queue : next.keySet()) {
                PullResult result = client.pull(queue, "*", next.get(queue), 32);
                if (result.getPullStatus() == PullStatus.FOUND) found.addAll(result.getMsgFoundList());
                next.put(queue, result.getNextBeginOffset());
            }
            return found.size() >= count;
        });
        return found;
    }

    /** A push consumer that reads from the start and keeps what it gets. */
    Inbox push(String topic, Setting<DefaultMQPushConsumer> setting) throws Exception {
        Inbox inbox = new Inbox();
        inbox.client = push(topic, inbox, setting);
        return inbox;
    }

    DefaultMQPushConsumer push(String topic, MessageListenerConcurrently listener, Setting<DefaultMQPushConsumer> setting)
            throws Exception {
        DefaultMQPushConsumer client = prepared(new DefaultMQPushConsumer("C-" + id));
        client.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        client.registerMessageListener(listener);
        setting.apply(client);
        boolean chosen = !client.getDefaultMQPushConsumerImpl().getSubscriptionInner().isEmpty();
        if (!chosen) client.subscribe(topic, "*");
        client.start();
        later(client::shutdown);
        return client;
    }

    static byte[] bytes(Object text) {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    static String text(Message message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    /** Bodies 0 to {@code count} - 1, once each, and nothing else. */
    static void eachOnce(List<? extends Message> messages, int count) {
        Map<String, Integer> times = new TreeMap<>();
        for (Message message : messages) times.merge(text(message), 1, Integer::sum);
        equal("different messages", count, times.size());
        for (int index = 0; index < count; index++) equal("times of message " + index, 1, times.get("" + index));
    }

    /** Keeps what a consumer got. */
    static final class Inbox implements MessageListenerConcurrently {
        private final List<MessageExt> messages = Collections.synchronizedList(new ArrayList<>());
        DefaultMQPushConsumer client;

        @Override
        public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> some,
                org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext context) {
            messages.addAll(some);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        }

        List<MessageExt> got() {
            synchronized (messages) {
                return new ArrayList<>(messages);
            }
        }

        void add(MessageExt message) {
            messages.add(message);
        }

        void await(int count) throws Exception {
            until(count + " messages", () -> messages.size() >= count);
        }
    }
}
