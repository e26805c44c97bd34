package io.millrace.operators.tiers;

import io.millrace.kv.flink.SessionPlacement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A task's thread that does what the test lets it, with a clock that the test moves. */
final class TestingTaskThread implements TaskThread {
    private final ArrayDeque<Mail> mails = new ArrayDeque<>();
    private final List<Timer> timers = new ArrayList<>();
    private @Nullable SessionPlacement currentKey;
    private boolean ended;
    private long nowMs = 1_000_000;

    private record Timer(long timeMs, Mail mail) {}

    @Override
    public boolean mail(Mail mail, String description) {
        return !ended && mails.add(mail);
    }

    @Override
    public void after(long delayMs, Mail mail) {
        timers.add(new Timer(nowMs + delayMs, mail));
    }

    @Override
    public void setCurrentKey(SessionPlacement session) {
        currentKey = session;
    }

    @Override
    public long nowMs() {
        return nowMs;
    }

    @Nullable
    SessionPlacement currentKey() {
        return currentKey;
    }

    void end() {
        ended = true;
    }

    /** Runs a mail; false if there is none. */
    boolean runOne() throws Exception {
        Mail mail = mails.poll();
        if (mail == null) {
            return false;
        }
        mail.run();
        return true;
    }

    /** Lets time pass, and timers with it. */
    void pass(long ms) throws Exception {
        nowMs += ms;
        for (Timer timer : List.copyOf(timers)) {
            if (timer.timeMs() <= nowMs) {
                timers.remove(timer);
                timer.mail().run();
            }
        }
    }
}
