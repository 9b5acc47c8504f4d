package conformance;

import static conformance.Trial.check;
import static conformance.Trial.equal;
import static conformance.Trial.text;
import static conformance.Trial.until;

import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** What clients ask of a broker besides sending and pulling. */
final class Queries {
    static void list(Map<String, Main.Scenario> scenarios) {
        scenarios.put("query.offsets", Queries::offsets);
        scenarios.put("query.by-id", Queries::byId);
        scenarios.put("query.by-key", Queries::byKey);
        scenarios.put("query.newer-codes", Queries::newerCodes);
    }

    private static void offsets(Trial t) throws Exception {
        String topic = t.topic(1);
        DefaultMQProducer client = t.producer();
        t.sendAll(client, topic, 10);
        MessageQueue queue = client.fetchPublishMessageQueues(topic).get(0);
        until("the queue", () -> client.maxOffset(queue) == 10);
        equal("first", 0L, client.minOffset(queue));
        List<MessageExt> found = t.read(topic, 10);
        equal("earliest time", found.get(0).getStoreTimestamp(), client.earliestMsgStoreTime(queue));
        long offset = client.searchOffset(queue, found.get(5).getStoreTimestamp());
        check(Math.abs(found.get((int) offset).getStoreTimestamp() - found.get(5).getStoreTimestamp()) == 0,
            "the offset by time is " + offset);
    }

    private static void byId(Trial t) throws Exception {
        String topic = t.topic(1);
        DefaultMQProducer client = t.producer();
        SendResult sent = t.sendAll(client, topic, 2).get(1);
        equal("by offset id", "1", text(client.viewMessage(topic, sent.getOffsetMsgId())));
        until("the index", () -> {
            try {
                return text(client.viewMessage(topic, sent.getMsgId())).equals("1");
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
    }

    private static void byKey(Trial t) throws Exception {
        String topic = t.topic(2);
        DefaultMQProducer client = t.producer();
        t.sendAll(client, topic, 6, (index, message) -> message.setKeys("key" + index % 3));
        until("the index", () -> {
            try {
                QueryResult result = client.queryMessage(topic, "key1", 32, 0, Long.MAX_VALUE);
                return result.getMessageList().size() == 2;
            } catch (org.apache.rocketmq.client.exception.MQClientException e) {
                return false;
            }
        });
    }

    /** What only 5.x brokers and name servers know is answered, with "not supported". */
    private static void newerCodes(Trial t) throws Exception {
        DefaultMQProducer client = t.producer();
        MQClientAPIImpl wire = client.getDefaultMQProducerImpl().getMqClientFactory().getMQClientAPIImpl();
        // QUERY_ASSIGNMENT, SET_MESSAGE_REQUEST_MODE, RECALL_MESSAGE, POP_MESSAGE, ACK_MESSAGE, BATCH_ACK_MESSAGE,
        // PEEK_MESSAGE, CHANGE_MESSAGE_INVISIBLETIME, NOTIFICATION, POLLING_INFO
        for (int code : new int[] {400, 401, 370, 200050, 200051, 200151, 200052, 200053, 200054, 200055}) {
            equal("answer to " + code + " from the broker", 3, codeOf(wire, t.broker, code));
        }
        // GET_BROKER_MEMBER_GROUP, BROKER_HEARTBEAT, CONTROLLER_ELECT_MASTER
        for (int code : new int[] {901, 904, 1002}) {
            equal("answer to " + code + " from the name server", 3, codeOf(wire, t.nameServer, code));
        }
    }

    private static int codeOf(MQClientAPIImpl wire, String address, int code) throws Exception {
        var request = org.apache.rocketmq.remoting.protocol.RemotingCommand.createRequestCommand(code, null);
        return wire.getRemotingClient().invokeSync(address, request, 5000).getCode();
    }
}
