package conformance;

import static conformance.Trial.bytes;
import static conformance.Trial.check;
import static conformance.Trial.equal;
import static conformance.Trial.text;
import static conformance.Trial.until;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Transactional messages; the tests give the broker a short transactionTimeOut and transactionCheckInterval. */
final class Transactions {
    static void list(Map<String, Main.Scenario> scenarios) {
        scenarios.put("transaction.ended", Transactions::ended);
        scenarios.put("transaction.asked", Transactions::asked);
    }

    /** The body is the verdict: at once, or when asked. */
    private static final class Verdicts implements TransactionListener {
        final Set<String> asked = ConcurrentHashMap.newKeySet();

        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
            switch (text(message)) {
                case "commit":
                    return LocalTransactionState.COMMIT_MESSAGE;
                case "rollback":
                    return LocalTransactionState.ROLLBACK_MESSAGE;
                default:
                    return LocalTransactionState.UNKNOW;
            }
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            asked.add(text(message));
            return text(message).equals("asked to commit") ? LocalTransactionState.COMMIT_MESSAGE
                : LocalTransactionState.ROLLBACK_MESSAGE;
        }
    }

    private static Verdicts send(Trial t, String topic, String... bodies) throws Exception {
        Verdicts verdicts = new Verdicts();
        TransactionMQProducer client = t.prepared(new TransactionMQProducer("P-" + t.id));
        client.setSendMsgTimeout(10_000);
        client.setTransactionListener(verdicts);
        client.start();
        t.later(client::shutdown);
        for (String body : bodies) {
            TransactionSendResult result = client.sendMessageInTransaction(new Message(topic, bytes(body)), null);
            equal("send status", SendStatus.SEND_OK, result.getSendStatus());
        }
        return verdicts;
    }

    private static long count(Trial.Inbox inbox, String body) {
        return inbox.got().stream().filter(message -> text(message).equals(body)).count();
    }

    private static void ended(Trial t) throws Exception {
        String topic = t.topic(1);
        Trial.Inbox inbox = t.push(topic, client -> {});
        send(t, topic, "rollback", "commit", "rollback", "commit");
        until("what was committed", () -> count(inbox, "commit") >= 2);
        Thread.sleep(1000); // what was rolled back had its chance
        equal("messages", 2, inbox.got().size());
        for (MessageExt message : inbox.got()) equal("topic", topic, message.getTopic());
    }

    private static void asked(Trial t) throws Exception {
        String topic = t.topic(1);
        Trial.Inbox inbox = t.push(topic, client -> {});
        Verdicts verdicts = send(t, topic, "asked to roll back", "asked to commit");
        until("the broker's questions", () -> verdicts.asked.size() == 2);
        until("what was committed", () -> count(inbox, "asked to commit") == 1);
        check(inbox.got().size() == 1, "it got " + inbox.got().size() + " messages");
    }
}
