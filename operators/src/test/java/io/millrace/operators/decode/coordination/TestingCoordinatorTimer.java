package io.millrace.operators.decode.coordination;

import java.util.ArrayList;
import java.util.List;

/** A timer whose time the test moves. */
final class TestingCoordinatorTimer implements CoordinatorTimer {
    private final List<Scheduled> scheduled = new ArrayList<>();
    private long nowMs;
    private boolean closed;

    private record Scheduled(long atMs, Runnable action) {}

    @Override
    public Runnable after(long delayMs, Runnable action) {
        Scheduled added = new Scheduled(nowMs + delayMs, action);
        scheduled.add(added);
        return () -> scheduled.remove(added);
    }

    void advance(long ms) {
        nowMs += ms;
        for (Scheduled due : List.copyOf(scheduled)) {
            if (due.atMs() <= nowMs && scheduled.remove(due)) {
                due.action().run();
            }
        }
    }

    int size() {
        return scheduled.size();
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        scheduled.clear();
    }
}
