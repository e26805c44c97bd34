package io.millrace.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendsTest {
    private final List<String> calls = new ArrayList<>();

    @Test
    void initialisesWhatIsAskedForOnceAndShutsItDown() {
        try (Backends backends = new Backends(List.of(backend("a"), backend("b")))) {
            assertThat(backends.get("a").name()).isEqualTo("a");
            assertThat(backends.get("a")).isSameAs(backends.get("a"));
        }
        assertThat(calls).containsExactly("initialize a", "shutDown a");
    }

    @Test
    void namesThoseThereAre() {
        Backends backends = new Backends(List.of(backend("sim"), backend("cpu")));
        assertThatThrownBy(() -> backends.get("cuda"))
                .hasMessage("there is no backend named cuda; there are [cpu, sim]");
        assertThatThrownBy(() -> Backends.find("cuda")).hasMessageContaining("there is no backend named cuda");
        assertThatThrownBy(() -> new Backends(List.of(backend("cpu"), backend("cpu"))))
                .hasMessageContaining("two backends are named cpu");
    }

    @Test
    void cudaIsChosenWhereItFindsADevice() {
        Backends backends = new Backends(
                List.of(backend("cpu"), backend("cuda", BackendAvailability.devices(2, "two devices of the test"))));
        assertThat(backends.choose("auto")).isEqualTo(new BackendChoice("cuda", 2, "it finds two devices of the test"));
        assertThat(backends.choose("cpu").name()).isEqualTo("cpu");
    }

    @Test
    void cpuIsChosenElsewhereAndTheReasonIsSaid() {
        Backends backends = new Backends(
                List.of(backend("cpu"), backend("cuda", BackendAvailability.missing("no library libcuda.so.1"))));
        assertThat(backends.choose("auto"))
                .isEqualTo(new BackendChoice("cpu", 1, "backend cuda cannot run here: no library libcuda.so.1"));
        assertThat(new Backends(List.of(backend("cpu"))).choose("auto").reason())
                .isEqualTo("no backend cuda is installed");
        assertThat(calls).isEmpty();
    }

    @Test
    void backendWithoutADeviceIsAnErrorWhereItIsAskedFor() {
        Backends backends = new Backends(
                List.of(backend("cpu"), backend("cuda", BackendAvailability.missing("the driver finds no device"))));
        for (Runnable asks : List.<Runnable>of(() -> backends.choose("cuda"), () -> backends.get("cuda"))) {
            assertThatThrownBy(asks::run)
                    .isInstanceOf(ServingException.class)
                    .hasMessage("backend cuda cannot run here: the driver finds no device");
        }
        assertThat(calls).isEmpty();
    }

    private Backend backend(String name) {
        return backend(name, BackendAvailability.devices(1, "one"));
    }

    private Backend backend(String name, BackendAvailability availability) {
        return new Backend() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public BackendAvailability availability() {
                return availability;
            }

            @Override
            public void initialize() {
                calls.add("initialize " + name);
            }

            @Override
            public ModelInstance load(InstanceSpec spec) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void shutDown() {
                calls.add("shutDown " + name);
            }
        };
    }
}
