package io.millrace.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Admission;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.runtime.tasks.TestProcessingTimeService;
import org.junit.jupiter.api.Test;

class AdmissionQueueTest {
    private final TestProcessingTimeService timers = new TestProcessingTimeService();
    private final List<String> admitted = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();
    private Admission answer = Admission.ACCEPTED;
    private final AdmissionQueue<String> queue = new AdmissionQueue<>(timers, new AdmissionQueue.Gatekeeper<>() {
        @Override
        public Admission offer(String item) {
            if (answer == Admission.ACCEPTED) {
                admitted.add(item);
            }
            return answer;
        }

        @Override
        public void refused(String item, Admission why) {
            refused.add(item + " " + why);
        }
    });

    @Test
    void firstComeFirst() throws Exception {
        queue.add("a");
        queue.add("b");
        queue.pump();
        assertThat(admitted).containsExactly("a", "b");
        assertThat(queue.size()).isZero();
    }

    @Test
    void fullEngineIsAskedAgainByOneTimer() throws Exception {
        answer = Admission.REJECTED_QUEUE_FULL;
        queue.add("a");
        queue.add("b");
        queue.pump();
        queue.pump();
        assertThat(timers.getNumActiveTimers()).isEqualTo(1);
        assertThat(queue.size()).isEqualTo(2);
        timers.setCurrentTime(1000);
        assertThat(timers.getNumActiveTimers()).isEqualTo(1);
        answer = Admission.ACCEPTED;
        timers.setCurrentTime(2000);
        assertThat(admitted).containsExactly("a", "b");
        assertThat(timers.getNumActiveTimers()).isZero();
    }

    @Test
    void whatCanNeverRunIsRefusedAndTheNextIsOffered() throws Exception {
        answer = Admission.REJECTED_TOO_LONG;
        queue.add("a");
        queue.add("b");
        queue.pump();
        assertThat(refused).containsExactly("a REJECTED_TOO_LONG", "b REJECTED_TOO_LONG");
        assertThat(queue.size()).isZero();
    }

    @Test
    void removedItemIsNotOffered() throws Exception {
        answer = Admission.REJECTED_QUEUE_FULL;
        queue.add("a");
        queue.add("b");
        queue.pump();
        assertThat(queue.remove("a")).isTrue();
        assertThat(queue.remove("a")).isFalse();
        answer = Admission.ACCEPTED;
        queue.pump();
        assertThat(admitted).containsExactly("b");
    }

    @Test
    void endedEngineIsAnError() {
        answer = Admission.REJECTED_CLOSED;
        queue.add("a");
        assertThatThrownBy(queue::pump).isInstanceOf(IllegalStateException.class);
    }
}
