package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class ComputeTeamTest {
    private final List<Thread> started = new ArrayList<>();

    private final ThreadFactory threads = task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        started.add(thread);
        return thread;
    };

    @Test
    void everyItemOfEveryRegionRunsOnce() {
        try (ComputeTeam team = new ComputeTeam(4, threads)) {
            for (int region = 0; region < 20_000; region++) {
                int count = region % 37;
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                team.run((item, worker) -> runs.getAndIncrement(item), count);
                for (int item = 0; item < count; item++) {
                    assertThat(runs.get(item))
                            .as("region %d, item %d", region, item)
                            .isEqualTo(1);
                }
            }
        }
    }

    @Test
    void whatItemsWroteIsVisibleAfterTheRegion() {
        int[] values = new int[1000];
        try (ComputeTeam team = new ComputeTeam(3, threads)) {
            for (int region = 1; region <= 500; region++) {
                int value = region;
                team.run((item, worker) -> values[item] += value == values[item] + 1 ? 1 : 1_000_000, values.length);
            }
        }
        assertThat(values).containsOnly(500);
    }

    @Test
    void workersHaveIndexesOfTheirOwn() {
        try (ComputeTeam team = new ComputeTeam(3, threads)) {
            AtomicIntegerArray inside = new AtomicIntegerArray(team.workerCount());
            team.run(
                    (item, worker) -> {
                        assertThat(inside.incrementAndGet(worker)).isEqualTo(1);
                        inside.decrementAndGet(worker);
                    },
                    10_000);
        }
    }

    @Test
    void failureOfAnItemReachesTheCallerAndTheTeamGoesOn() {
        try (ComputeTeam team = new ComputeTeam(2, threads)) {
            assertThatThrownBy(() -> team.run(ComputeTeamTest::failAtFive, 10)).hasRootCauseMessage("item 5");
            int[] runs = new int[8];
            team.run((item, worker) -> runs[item]++, 8);
            assertThat(runs).containsOnly(1);
        }
    }

    @Test
    void idleHelpersParkAndWakeAgain() {
        try (ComputeTeam team = new ComputeTeam(3, threads)) {
            for (int round = 0; round < 20; round++) {
                int[] runs = new int[50];
                team.run((item, worker) -> runs[item]++, runs.length);
                assertThat(runs).containsOnly(1);
                long deadline = System.nanoTime() + 30_000_000_000L;
                for (Thread thread : started) {
                    while (thread.getState() != Thread.State.WAITING) {
                        assertThat(System.nanoTime())
                                .as("%s still spins", thread)
                                .isLessThan(deadline);
                        Thread.onSpinWait();
                    }
                }
            }
        }
    }

    @Test
    void closeEndsTheHelpers() throws InterruptedException {
        ComputeTeam team = new ComputeTeam(3, threads);
        team.run((item, worker) -> {}, 100);
        team.close();
        assertThat(started).hasSize(2);
        for (Thread thread : started) {
            thread.join(10_000);
            assertThat(thread.isAlive()).isFalse();
        }
    }

    private static void failAtFive(int item, int worker) {
        if (item == 5) {
            throw new IllegalArgumentException("item " + item);
        }
    }
}
