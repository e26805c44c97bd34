package io.millrace.engine;

import static java.util.Objects.requireNonNull;

/**
 * What makes two engines the same: users who ask for equal keys share one.
 *
 * @param modelFile the model's file, absolute
 * @param backend the backend's name
 * @param deviceIndex which device of the backend's kind
 * @param settings everything else that decides how the engine runs, such as its limits, as text in a fixed order
 */
public record EngineKey(String modelFile, String backend, int deviceIndex, String settings) {
    public EngineKey {
        requireNonNull(modelFile, "modelFile");
        requireNonNull(backend, "backend");
        requireNonNull(settings, "settings");
    }
}
