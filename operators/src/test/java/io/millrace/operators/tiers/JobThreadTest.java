package io.millrace.operators.tiers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class JobThreadTest {
    private final List<String> done = Collections.synchronizedList(new ArrayList<>());

    @Test
    void jobsGoInOrderAndThoseForIdleTimesLast() {
        JobThread thread = new JobThread(2);
        assertThat(thread.offerIdle(job("idle"))).isTrue();
        assertThat(thread.offer(job("a"))).isTrue();
        assertThat(thread.offer(job("b"))).isTrue();
        assertThat(thread.offer(job("c"))).isFalse();
        while (thread.doOne()) {
            // doOne did it
        }
        assertThat(done).containsExactly("a", "b", "idle");
    }

    @Test
    void closedThreadFinishesOneAndAbandonsTheRest() throws Exception {
        JobThread thread = new JobThread(10);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        thread.start(Thread::new);
        thread.offer(new JobThread.Job() {
            @Override
            public void run() {
                begun.countDown();
                try {
                    closing.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                done.add("first");
            }

            @Override
            public void abandon() {
                done.add("never");
            }
        });
        begun.await();
        thread.offer(job("second"));
        thread.offerIdle(job("third"));
        Thread closer = new Thread(thread::close);
        closer.start();
        while (closer.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        closing.countDown();
        closer.join();
        assertThat(done).containsExactly("first", "abandoned second", "abandoned third");
        assertThat(thread.offer(job("late"))).isFalse();
    }

    @Test
    void defectOfOneJobLeavesTheOthers() throws Exception {
        JobThread thread = new JobThread(10);
        CountDownLatch second = new CountDownLatch(1);
        thread.start(Thread::new);
        thread.offer(new JobThread.Job() {
            @Override
            public void run() {
                throw new IllegalStateException("a defect of the test's");
            }

            @Override
            public void abandon() {}
        });
        thread.offer(new JobThread.Job() {
            @Override
            public void run() {
                second.countDown();
            }

            @Override
            public void abandon() {}
        });
        second.await();
        thread.close();
    }

    private JobThread.Job job(String name) {
        return new JobThread.Job() {
            @Override
            public void run() {
                done.add(name);
            }

            @Override
            public void abandon() {
                done.add("abandoned " + name);
            }
        };
    }
}
