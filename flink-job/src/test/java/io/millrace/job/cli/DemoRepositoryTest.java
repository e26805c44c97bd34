package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.repository.ModelRepository;
import io.millrace.engine.repository.RepositoryModel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoRepositoryTest {
    @TempDir
    private Path cache;

    @Test
    void isARepositoryThatTheEngineReads() throws Exception {
        Path model = Files.createDirectories(cache.resolve("models"))
                .resolve(ModelFetcher.DEMO_MODELS.get(0).name());
        Files.writeString(model, "weights");
        assertThat(DemoRepository.describes(model)).isTrue();

        DemoRepository.layOut(model);
        DemoRepository repository = DemoRepository.layOut(model);

        RepositoryModel found = ModelRepository.open(repository.folder()).model(repository.modelName());
        assertThat(found.backend()).isEqualTo("auto");
        assertThat(found.version()).isEqualTo(1);
        assertThat(found.modelFile()).hasContent("weights");
        assertThat(cache.resolve("model-repository"))
                .isDirectoryNotContaining(file -> file.getFileName().toString().startsWith(".config"));
    }

    @Test
    void theStandInHasNoConfiguration() {
        assertThat(DemoRepository.describes(
                        cache.resolve(ModelFetcher.DEMO_MODELS.get(1).name())))
                .isFalse();
    }
}
