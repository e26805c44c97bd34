package io.millrace.model;

import java.nio.file.Path;

/** A model in a GGUF file: what it is, its weights, mapped from the file, and its metadata with the vocabulary. */
public final class GgufModel implements AutoCloseable {
    private GgufModel() {}

    /**
     * Opens and checks a model file.
     *
     * @throws io.millrace.kv.ServingException {@code MODEL_FILE_INVALID} naming the file, the offset, and what was
     *     expected there
     */
    public static GgufModel open(Path file) {
        throw new UnsupportedOperationException(file.toString());
    }

    /** What the model is. */
    public ModelSpec spec() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
