package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * Turns that wait for room in the engine, first come first. It is offered its head whenever something may have changed:
 * when a turn comes, when a step ends, and, since room also comes from the sequences of other leases, now and then
 * while the engine is full. Used on the task thread.
 *
 * @param <T> what waits
 */
public final class AdmissionQueue<T> {
    /** How long until a full engine is asked again. */
    private static final long RETRY_MS = 5;

    /** What the queue's operator does with a turn. */
    public interface Gatekeeper<T> {
        /** Offers it to the engine. Answers {@code ACCEPTED} too if there is nothing more to do for it. */
        Admission offer(T item) throws Exception;

        /** The engine will never take it. */
        void refused(T item, Admission why) throws Exception;
    }

    private final ArrayDeque<T> items = new ArrayDeque<>();
    private final ProcessingTimeService timers;
    private final Gatekeeper<T> gatekeeper;
    private boolean retryPending;

    /** An empty queue. Whoever adds bounds it. */
    public AdmissionQueue(ProcessingTimeService timers, Gatekeeper<T> gatekeeper) {
        this.timers = requireNonNull(timers, "timers");
        this.gatekeeper = requireNonNull(gatekeeper, "gatekeeper");
    }

    /** Adds a turn at the end. */
    public void add(T item) {
        items.add(item);
    }

    /** Takes a turn out; false if it does not wait. */
    public boolean remove(T item) {
        for (Iterator<T> all = items.iterator(); all.hasNext(); ) {
            if (all.next() == item) {
                all.remove();
                return true;
            }
        }
        return false;
    }

    /** Turns that wait. */
    public int size() {
        return items.size();
    }

    /** Offers turns to the engine until it has no more room. */
    public void pump() throws Exception {
        while (!items.isEmpty()) {
            T head = items.remove();
            Admission admission = gatekeeper.offer(head);
            switch (admission) {
                case ACCEPTED -> {}
                case REJECTED_QUEUE_FULL -> {
                    items.addFirst(head);
                    retryLater();
                    return;
                }
                case REJECTED_DUPLICATE, REJECTED_TOO_LONG -> gatekeeper.refused(head, admission);
                case REJECTED_CLOSED -> throw new IllegalStateException("the engine has ended");
            }
        }
    }

    private void retryLater() {
        if (retryPending) {
            return;
        }
        retryPending = true;
        timers.registerTimer(timers.getCurrentProcessingTime() + RETRY_MS, time -> {
            retryPending = false;
            pump();
        });
    }
}
