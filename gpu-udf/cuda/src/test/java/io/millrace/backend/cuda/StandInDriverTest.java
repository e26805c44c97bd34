package io.millrace.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** JCuda's binding itself, with a driver that stands in for NVIDIA's. */
class StandInDriverTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {0, 60})
    void aModelRunsByTheBindingAsOnTheEmulatedDevice(int failingLaunch) throws IOException, InterruptedException {
        URL driver = StandInDriverTest.class.getResource("/driver/libcuda.so.1");
        assumeTrue(driver != null && driver.getProtocol().equals("file"), "there was no g++");
        assumeTrue(
                StandInDriverTest.class.getResource("/millrace/cuda/kernels.txt") != null,
                "without nvcc there are no kernels to load");
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-ea",
                "-cp",
                System.getProperty("java.class.path"),
                StandInDriver.class.getName(),
                folder.toString(),
                String.valueOf(failingLaunch));
        builder.environment()
                .put("LD_LIBRARY_PATH", Path.of(driver.getPath()).getParent().toString());
        if (failingLaunch > 0) {
            builder.environment().put("MILLRACE_DRIVER_FAULT", String.valueOf(failingLaunch));
        }
        Process process = builder.redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ended").isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).as(Files.readString(output)).isZero();
    }
}
