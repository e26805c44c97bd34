package io.millrace.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.runtime.io.AvailabilityProvider;
import org.junit.jupiter.api.Test;

class GatedQueueTest {
    private final TestingOutput first = new TestingOutput();
    private final TestingOutput second = new TestingOutput();
    private final TestingMailbox mailbox = new TestingMailbox();
    private final List<String> handed = new ArrayList<>();
    private final GatedQueue<String> queue =
            new GatedQueue<>(mailbox, new OutputGate(List.of(first, second)), handed::add);

    @Test
    void handsOnAtOnceWhileThereIsRoom() throws Exception {
        queue.add("a");
        queue.add("b");
        assertThat(handed).containsExactly("a", "b");
        assertThat(mailbox.size()).isZero();
    }

    @Test
    void waitsForEveryOutputAndKeepsTheOrder() throws Exception {
        first.fill();
        second.fill();
        queue.add("a");
        queue.add("b");
        first.empty();
        mailbox.runAll();
        assertThat(handed).isEmpty();
        second.empty();
        assertThat(handed).isEmpty();
        assertThat(mailbox.size()).isEqualTo(1);
        mailbox.runAll();
        assertThat(handed).containsExactly("a", "b");
    }

    @Test
    void outputThatFillsBetweenTwoItemsHoldsTheSecond() throws Exception {
        GatedQueue<String> filling = new GatedQueue<>(mailbox, new OutputGate(List.of(first)), item -> {
            handed.add(item);
            first.fill();
        });
        filling.add("a");
        filling.add("b");
        filling.add("c");
        filling.removeIf(item -> item.equals("b"));
        assertThat(handed).containsExactly("a");
        first.empty();
        mailbox.runAll();
        assertThat(handed).containsExactly("a", "c");
    }

    @Test
    void roomThatComesAfterTheTaskHasEndedIsIgnored() throws Exception {
        first.fill();
        queue.add("a");
        mailbox.close();
        first.empty();
        assertThat(handed).isEmpty();
    }

    private static final class TestingOutput implements AvailabilityProvider {
        private CompletableFuture<?> available = AVAILABLE;

        void fill() {
            available = new CompletableFuture<>();
        }

        void empty() {
            available.complete(null);
        }

        @Override
        public CompletableFuture<?> getAvailableFuture() {
            return available;
        }
    }
}
