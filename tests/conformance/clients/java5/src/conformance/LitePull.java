package conformance;

import static conformance.Trial.check;
import static conformance.Trial.eachOnce;
import static conformance.Trial.equal;
import static conformance.Trial.until;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The lite pull consumer; clients before 4.6 have none, so it is a class of its own. */
final class LitePull {
    private static List<MessageExt> poll(DefaultLitePullConsumer client, int count) throws Exception {
        List<MessageExt> found = new ArrayList<>();
        until(count + " messages", () -> {
            found.addAll(client.poll(500));
            return found.size() >= count;
        });
        return found;
    }

    static void subscribed(Trial t) throws Exception {
        String topic = t.topic(2);
        t.sendAll(t.producer(), topic, 30);
        DefaultLitePullConsumer client = t.prepared(new DefaultLitePullConsumer("C-" + t.id));
        client.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        client.subscribe(topic, "*");
        client.start();
        t.later(client::shutdown);
        eachOnce(poll(client, 30), 30);
        client.commit();
        until("the committed offsets", () -> {
            long sum = 0;
            for (MessageQueue queue : client.fetchMessageQueues(topic)) sum += client.committed(queue);
            return sum == 30;
        });
    }

    static void assigned(Trial t) throws Exception {
        String topic = t.topic(2);
        t.sendAll(t.producer(), topic, 20);
        DefaultLitePullConsumer client = t.prepared(new DefaultLitePullConsumer("C-" + t.id));
        client.setAutoCommit(false);
        client.start();
        t.later(client::shutdown);
        List<MessageQueue> queues = new ArrayList<>(client.fetchMessageQueues(topic));
        queues.removeIf(queue -> queue.getQueueId() != 1);
        client.assign(queues);
        List<MessageExt> found = poll(client, 10);
        equal("messages", 10, found.size());
        for (MessageExt message : found) equal("queue", 1, message.getQueueId());
        long offset = client.offsetForTimestamp(queues.get(0), found.get(0).getStoreTimestamp());
        check(offset >= 0 && offset < 10, "the offset by time is " + offset);
    }
}
