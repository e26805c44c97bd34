package io.millrace.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.TaskInfoImpl;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.junit.jupiter.api.Test;

class DevicePlaceTest {
    /** A device as Flink's driver for GPUs gives it. */
    private record Gpu(Map<String, String> properties) implements ExternalResourceInfo {
        @Override
        public Optional<String> getProperty(String key) {
            return Optional.ofNullable(properties.get(key));
        }

        @Override
        public Collection<String> getKeys() {
            return properties.keySet();
        }
    }

    @Test
    void subtasksGoRoundTheDevicesThatFlinkAssigned() {
        assertThat(DevicePlace.of(context(0, "10", "2"))).isEqualTo(new DevicePlace(List.of(2, 10), 0));
        assertThat(DevicePlace.of(context(0, "10", "2")).device(99)).isEqualTo(2);
        assertThat(DevicePlace.of(context(3, "10", "2")).device(99)).isEqualTo(10);
        assertThat(DevicePlace.of(context(3, "10")).device(99)).isEqualTo(10);
    }

    @Test
    void withoutExternalResourcesTheyGoRoundThoseThereAre() {
        assertThat(DevicePlace.of(context(5)).device(1)).isZero();
        assertThat(DevicePlace.of(context(5)).device(4)).isEqualTo(1);
        assertThat(DevicePlace.of(context(5)).device(0)).isZero();
    }

    @Test
    void deviceWithoutAnIndexIsSaid() {
        assertThatThrownBy(() -> DevicePlace.of(context(0, "MIG-1")))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("external resource gpu")
                .hasMessageContaining("\"MIG-1\" of [index]");
    }

    private static RuntimeContext context(int subtask, String... indices) {
        TaskInfo task = new TaskInfoImpl("decode", 128, subtask, 16, 0);
        Set<ExternalResourceInfo> gpus = Arrays.stream(indices)
                .map(index -> new Gpu(Map.of("index", index)))
                .collect(Collectors.toSet());
        return (RuntimeContext) Proxy.newProxyInstance(
                DevicePlaceTest.class.getClassLoader(),
                new Class<?>[] {RuntimeContext.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getTaskInfo" -> task;
                    case "getExternalResourceInfos" -> {
                        assertThat(arguments).containsExactly("gpu");
                        yield gpus;
                    }
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }
}
