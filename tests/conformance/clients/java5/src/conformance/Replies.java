package conformance;

import static conformance.Trial.bytes;
import static conformance.Trial.check;
import static conformance.Trial.equal;
import static conformance.Trial.text;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Requests that wait for a reply; clients before 4.6 have none, so it is a class of its own. */
final class Replies {
    /** The broker knows the asking producer from its first heartbeat on, which may come after its question. */
    private static void answer(Trial t, DefaultMQProducer answering, MessageExt question) {
        for (int times = 0; times < 20; times++) {
            try {
                answering.send(MessageUtil.createReplyMessage(question, bytes("answer to " + text(question))), 5000);
                return;
            } catch (InterruptedException e) {
                return; // the scenario ended while the broker's word was on its way
            } catch (Exception e) {
                if (times == 19) System.err.println(t.id + ": the reply was refused: " + e);
            }
            LockSupport.parkNanos(200_000_000L);
        }
    }

    static void ask(Trial t, boolean async) throws Exception {
        String topic = t.topic(1);
        DefaultMQProducer answering = t.producer();
        CountDownLatch listening = new CountDownLatch(1);
        t.push(topic, (messages, context) -> {
            for (MessageExt message : messages) {
                if (text(message).equals("0")) listening.countDown();
                else answer(t, answering, message);
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        }, client -> {});
        DefaultMQProducer client = t.producer();
        t.sendAll(client, topic, 1);
        check(listening.await(30, TimeUnit.SECONDS), "the answering consumer gets nothing");
        Message question = new Message(topic, bytes("question"));
        if (!async) {
            equal("reply", "answer to question", text(client.request(question, 10_000)));
            return;
        }
        CountDownLatch answered = new CountDownLatch(1);
        AtomicReference<String> reply = new AtomicReference<>();
        client.request(question, new RequestCallback() {
            @Override
            public void onSuccess(Message message) {
                reply.set(text(message));
                answered.countDown();
            }

            @Override
            public void onException(Throwable e) {
                reply.set(e.toString());
                answered.countDown();
            }
        }, 10_000);
        check(answered.await(20, TimeUnit.SECONDS), "nothing came back");
        equal("reply", "answer to question", reply.get());
    }
}
