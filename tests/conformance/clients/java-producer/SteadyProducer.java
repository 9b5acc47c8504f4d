import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/**
 * A producer with all its defaults that sends from several threads until its standard input ends, and says of every
 * message what the application heard: `OK body status queueId queueOffset ms`, or `ERR body ms exception`.
 * Arguments: name server, topic, threads, `sync` or `async`.
 */
public class SteadyProducer {
    static volatile boolean over = false;

    public static void main(String[] argv) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("steady_producer");
        producer.setNamesrvAddr(argv[0]);
        producer.start();
        List<Thread> threads = new ArrayList<>();
        for (int number = 0; number < Integer.parseInt(argv[2]); number++) {
            int self = number;
            boolean sync = argv[3].equals("sync");
            Thread thread = new Thread(() -> run(producer, argv[1], self, sync));
            threads.add(thread);
            thread.start();
        }
        while (System.in.read() >= 0) {
        }
        over = true;
        for (Thread thread : threads) thread.join();
        producer.shutdown();
        System.out.println("END");
        System.out.flush();
        System.exit(0);
    }

    static void run(DefaultMQProducer producer, String topic, int self, boolean sync) {
        // A callback each, and a few at a time.
        Semaphore room = new Semaphore(8);
        try {
            for (long count = 0; !over; count++) {
                String body = self + "-" + count;
                Message message = new Message(topic, body.getBytes());
                if (sync) send(producer, message, body);
                else sendLater(producer, message, body, room);
                Thread.sleep(1);
            }
            room.acquire(8);
        } catch (InterruptedException ignored) {
        }
    }

    static void send(DefaultMQProducer producer, Message message, String body) {
        long beganMs = System.currentTimeMillis();
        try {
            accept(body, producer.send(message), beganMs);
        } catch (Exception error) {
            refuse(body, error, beganMs);
        }
    }

    static void sendLater(DefaultMQProducer producer, Message message, String body, Semaphore room)
        throws InterruptedException {
        long beganMs = System.currentTimeMillis();
        room.acquire();
        try {
            producer.send(message, new SendCallback() {
                public void onSuccess(SendResult result) {
                    accept(body, result, beganMs);
                    room.release();
                }

                public void onException(Throwable error) {
                    refuse(body, error, beganMs);
                    room.release();
                }
            });
        } catch (Exception error) {
            refuse(body, error, beganMs);
            room.release();
        }
    }

    static void accept(String body, SendResult result, long beganMs) {
        int queueId = result.getMessageQueue().getQueueId();
        String place = queueId + " " + result.getQueueOffset();
        say("OK " + body + " " + result.getSendStatus() + " " + place + " " + tookMs(beganMs));
    }

    static void refuse(String body, Throwable error, long beganMs) {
        say("ERR " + body + " " + tookMs(beganMs) + " " + String.valueOf(error).replaceAll("\\s+", " "));
    }

    static long tookMs(long beganMs) {
        return System.currentTimeMillis() - beganMs;
    }

    static synchronized void say(String line) {
        System.out.println(line);
    }
}
