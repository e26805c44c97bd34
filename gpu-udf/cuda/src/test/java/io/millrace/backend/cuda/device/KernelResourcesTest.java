package io.millrace.backend.cuda.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.backend.cuda.device.KernelResources.Image;
import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelResourcesTest {
    private static KernelResources resources(Map<String, String> files) {
        return new KernelResources(
                name -> files.containsKey(name) ? files.get(name).getBytes(StandardCharsets.UTF_8) : null);
    }

    @Test
    void anArchitectureHasItsCubinAndNewerOnesHaveText() {
        KernelResources resources = resources(Map.of(
                "kernels.txt", "norm\nproduct\n",
                "norm.sm_80.cubin", "n80",
                "norm.sm_90a.cubin", "n90",
                "norm.compute_80.ptx", "n",
                "product.sm_80.cubin", "p80",
                "product.sm_90a.cubin", "p90",
                "product.compute_80.ptx", "p"));
        assertThat(names(resources, 80)).containsExactly("norm.sm_80.cubin", "product.sm_80.cubin");
        assertThat(names(resources, 90)).containsExactly("norm.sm_90a.cubin", "product.sm_90a.cubin");
        assertThat(names(resources, 86)).containsExactly("norm.compute_80.ptx", "product.compute_80.ptx");
        assertThat(names(resources, 100)).containsExactly("norm.compute_80.ptx", "product.compute_80.ptx");
        assertThat(resources.imagesFor(100, "device").get(0).bytes()).containsExactly('n', 0);
        assertThatThrownBy(() -> resources.imagesFor(75, "device"))
                .isInstanceOf(ServingException.class)
                .hasMessage("device has compute capability 7.5; the kernels need 8.0 or newer");
    }

    @Test
    void withoutKernelsItSaysSo() {
        assertThatThrownBy(() -> resources(Map.of()).families())
                .isInstanceOf(ServingException.class)
                .hasMessage("this build has no CUDA kernels: there was no nvcc when it was made");
    }

    @Test
    void whatTheBuildMadeIsFound() {
        KernelResources jar = KernelResources.ofJar();
        assumeTrue(KernelResources.class.getResource("/millrace/cuda/kernels.txt") != null, "there was no nvcc");
        assertThat(jar.families()).contains("attention_decode", "embedding", "norm", "product", "sampling");
        assertThat(names(jar, 80)).allMatch(name -> name.endsWith(".sm_80.cubin"));
        assertThat(names(jar, 90)).allMatch(name -> name.endsWith(".sm_90a.cubin"));
        assertThat(names(jar, 120)).allMatch(name -> name.endsWith(".compute_80.ptx"));
    }

    private static List<String> names(KernelResources resources, int architecture) {
        return resources.imagesFor(architecture, "device").stream()
                .map(Image::name)
                .toList();
    }
}
