package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.testing.TestingModelInstance;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineRegistryTest {
    private static final EngineKey KEY = new EngineKey("model.gguf", "cpu", 0, "");
    private static final Duration LINGER = Duration.ofSeconds(10);

    private final AtomicLong clock = new AtomicLong();
    private final List<Runnable> timers = new ArrayList<>();
    private final EngineRegistry registry = new EngineRegistry(clock::get, (delay, action) -> {
        assertThat(delay).isEqualTo(LINGER);
        timers.add(action);
    });
    private final AtomicInteger loads = new AtomicInteger();

    @Test
    void usersOfOneKeyShareAnEngine() {
        EngineHold first = registry.acquire(KEY, LINGER, this::load);
        EngineHold second = registry.acquire(KEY, LINGER, this::load);
        EngineHold other = registry.acquire(new EngineKey("model.gguf", "cpu", 1, ""), LINGER, this::load);
        assertThat(second.engine()).isSameAs(first.engine());
        assertThat(other.engine()).isNotSameAs(first.engine());
        assertThat(loads).hasValue(2);
    }

    @Test
    void anEngineThatNobodyHoldsLingersAndIsFoundWarm() {
        EngineHold first = registry.acquire(KEY, LINGER, this::load);
        EngineHold second = registry.acquire(KEY, LINGER, this::load);
        first.close();
        first.close();
        clock.addAndGet(LINGER.toNanos());
        assertThat(registry.closeIdle()).isZero();
        second.close();
        clock.addAndGet(LINGER.toNanos() - 1);
        assertThat(registry.closeIdle()).isZero();

        EngineHold warm = registry.acquire(KEY, LINGER, this::load);
        assertThat(warm.engine()).isSameAs(first.engine());
        clock.addAndGet(1);
        timers.get(0).run();
        assertThat(warm.engine().isClosed()).isFalse();

        warm.close();
        clock.addAndGet(LINGER.toNanos());
        timers.get(1).run();
        assertThat(warm.engine().isClosed()).isTrue();
        assertThat(registry.size()).isZero();
    }

    @Test
    void withoutLingerItClosesAtOnce() {
        EngineHold hold = registry.acquire(KEY, Duration.ZERO, this::load);
        hold.close();
        assertThat(hold.engine().isClosed()).isTrue();
        assertThat(timers).isEmpty();
    }

    @Test
    void anEngineThatEndedByItselfIsReplaced() {
        EngineHold dead = registry.acquire(KEY, Duration.ZERO, this::load);
        dead.engine().close();
        EngineHold fresh = registry.acquire(KEY, Duration.ZERO, this::load);
        assertThat(fresh.engine().isClosed()).isFalse();
        dead.close();
        assertThat(fresh.engine().isClosed()).isFalse();
        fresh.close();
        assertThat(fresh.engine().isClosed()).isTrue();
    }

    @Test
    void aFailedLoadFailsAllWhoWaitAndNobodyAfterwards() {
        assertThatThrownBy(() -> registry.acquire(KEY, LINGER, () -> {
                    throw new IllegalStateException("no such file");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no such file");
        assertThat(registry.size()).isZero();
        assertThat(registry.acquire(KEY, LINGER, this::load).engine().isClosed())
                .isFalse();
    }

    @Test
    void concurrentUsersWaitForOneLoad() throws Exception {
        int users = 6;
        CountDownLatch started = new CountDownLatch(users);
        ExecutorService executor = Executors.newFixedThreadPool(users);
        try {
            List<Future<EngineHold>> holds = new ArrayList<>();
            for (int i = 0; i < users; i++) {
                holds.add(executor.submit(() -> {
                    started.countDown();
                    return registry.acquire(KEY, Duration.ZERO, () -> {
                        awaitAll(started);
                        return load();
                    });
                }));
            }
            Engine engine = holds.get(0).get().engine();
            for (Future<EngineHold> hold : holds) {
                assertThat(hold.get().engine()).isSameAs(engine);
            }
            assertThat(loads).hasValue(1);
            for (Future<EngineHold> hold : holds) {
                assertThat(engine.isClosed()).isFalse();
                hold.get().close();
            }
            assertThat(engine.isClosed()).isTrue();
        } finally {
            executor.shutdownNow();
        }
    }

    private static void awaitAll(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Engine load() {
        loads.incrementAndGet();
        return new Engine(EngineOptions.of("testing", Set.of(), 64), new TestingModelInstance(16, 4), () -> {});
    }
}
