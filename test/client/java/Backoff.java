import org.apache.kafka.common.utils.ExponentialBackoff;

/**
 * Prints the shortest and the longest of many delays of Kafka's ExponentialBackoff, for each case.
 * Each case has three arguments: the initial delay, the maximum delay and the number of attempts.
 * Used by backoff.peer.test.ts.
 */
public class Backoff {
    private static final int SAMPLES = 20_000;
    private static final double JITTER = 0.2;

    public static void main(String[] args) {
        for (int i = 0; i < args.length; i += 3) {
            ExponentialBackoff backoff =
                new ExponentialBackoff(Long.parseLong(args[i]), 2, Long.parseLong(args[i + 1]), JITTER);
            long shortest = Long.MAX_VALUE;
            long longest = Long.MIN_VALUE;
            for (int n = 0; n < SAMPLES; n++) {
                long delay = backoff.backoff(Long.parseLong(args[i + 2]));
                shortest = Math.min(shortest, delay);
                longest = Math.max(longest, delay);
            }
            System.out.println(shortest + " " + longest);
        }
    }
}
