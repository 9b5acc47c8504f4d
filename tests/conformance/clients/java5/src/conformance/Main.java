package conformance;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Scenarios judged by the remoting client of RocketMQ 5, unmodified: {@code Main NAME_SERVER BROKER [SCENARIO...]}.
 * Prints {@code PASS name (ms)}, {@code FAIL name: reason}, or {@code SKIP name: reason} where an older client on the
 * class path lacks what the scenario is about, and {@code N passed, N failed} at the end.
 */
public final class Main {
    /** Most of a scenario is waiting: a consumer's shutdown alone takes 3 s. */
    private static final int AT_ONCE = 12;
    private static final long SCENARIO_LIMIT_S = 45;

    interface Scenario {
        void run(Trial trial) throws Exception;
    }

    private static final Map<String, Scenario> SCENARIOS = new LinkedHashMap<>();

    private static int passed;
    private static int failed;

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 2) {
            System.err.println("usage: Main NAME_SERVER BROKER [SCENARIO...]");
            System.exit(2);
        }
        Sending.list(SCENARIOS);
        Consuming.list(SCENARIOS);
        Transactions.list(SCENARIOS);
        Queries.list(SCENARIOS);
        List<String> filters = List.of(arguments).subList(2, arguments.length);
        ExecutorService places = Executors.newFixedThreadPool(AT_ONCE);
        for (Map.Entry<String, Scenario> entry : SCENARIOS.entrySet()) {
            String name = entry.getKey();
            if (filters.isEmpty() || filters.stream().anyMatch(f -> name.equals(f) || name.startsWith(f + "."))) {
                places.submit(() -> judge(name, entry.getValue(), arguments[0], arguments[1]));
            }
        }
        places.shutdown();
        places.awaitTermination(10, TimeUnit.MINUTES);
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed > 0 || passed == 0 ? 1 : 0);
    }

    private static void judge(String name, Scenario scenario, String nameServer, String broker) {
        long began = System.currentTimeMillis();
        ExecutorService own = Executors.newSingleThreadExecutor();
        Throwable failure = null;
        try (Trial trial = new Trial(name, nameServer, broker)) {
            Future<?> run = own.submit(() -> {
                scenario.run(trial);
                return null;
            });
            run.get(SCENARIO_LIMIT_S, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            failure = new IllegalStateException("not ended after " + SCENARIO_LIMIT_S + " s");
        } catch (java.util.concurrent.ExecutionException e) {
            failure = e.getCause();
        } catch (Throwable e) {
            failure = e;
        }
        own.shutdownNow();
        synchronized (Main.class) {
            if (failure == null) {
                passed++;
                System.out.println("PASS " + name + " (" + (System.currentTimeMillis() - began) + " ms)");
            } else if (failure instanceof LinkageError && !failure.toString().contains("not initialize")) {
                System.out.println("SKIP " + name + ": this client lacks " + failure.getMessage());
            } else {
                failed++;
                System.out.println("FAIL " + name + ": " + failure.toString().replaceAll("\\s+", " "));
            }
        }
    }
}
