package io.millrace.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    private Backend backend(String name) {
        return new Backend() {
            @Override
            public String name() {
                return name;
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
