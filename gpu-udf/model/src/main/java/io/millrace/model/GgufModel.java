package io.millrace.model;

import static io.millrace.model.GgufErrors.invalid;
import static io.millrace.model.GgufErrors.shown;
import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model in a GGUF file: what it is, its weights, mapped from the file, and its metadata with the vocabulary.
 *
 * <p>Opening reads and checks the header only; weights are read when something reads them. The mapping ends when
 * neither the model nor a buffer of one of its tensors is reachable: closing only keeps new ones from being asked for,
 * so that a late reader never crashes the JVM. The file must not be shortened while it is mapped.
 */
public final class GgufModel implements AutoCloseable {
    private final Path file;
    private final MappedFile mapped;
    private final GgufMetadata metadata;
    private final Map<String, GgufTensor> tensors;
    private final ModelSpec spec;
    private final long dataStart;
    private @Nullable String fingerprint;
    private volatile boolean closed;

    private GgufModel(MappedFile mapped, GgufHeader header, ModelSpec spec) {
        this.file = mapped.path();
        this.mapped = mapped;
        this.metadata = header.metadata();
        this.tensors = Collections.unmodifiableMap(header.tensors());
        this.spec = requireNonNull(spec, "spec");
        this.dataStart = header.dataStart();
    }

    /**
     * Opens and checks a model file.
     *
     * @throws io.millrace.kv.ServingException {@code MODEL_FILE_INVALID} naming the file, the offset, and what was
     *     expected there
     */
    public static GgufModel open(Path file) {
        MappedFile mapped = map(file);
        GgufHeader header = GgufHeader.read(mapped);
        ModelSpec spec = ModelSpecReader.read(file, header.metadata(), header.tensors());
        return new GgufModel(mapped, header, spec);
    }

    /** Maps a file, with errors of reading it as those of any other model file. */
    static MappedFile map(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // Opening a pipe would wait for a writer.
            throw invalid(file, "cannot be read: expected a regular file");
        }
        try {
            return MappedFile.open(file);
        } catch (IOException e) {
            throw new ServingException(ErrorCode.MODEL_FILE_INVALID, file + ": cannot be read: " + e, e);
        }
    }

    /** What the model is. */
    public ModelSpec spec() {
        return spec;
    }

    /** The file's metadata, with the vocabulary and the chat template. */
    public GgufMetadata metadata() {
        return metadata;
    }

    /** The file that the model is in. */
    public Path file() {
        return file;
    }

    /**
     * Returns a tensor.
     *
     * @throws io.millrace.kv.ServingException {@code MODEL_FILE_INVALID} if the file has none of this name
     */
    public GgufTensor tensor(String name) {
        GgufTensor tensor = findTensor(name);
        if (tensor == null) {
            throw invalid(file, "tensor " + shown(name) + " is missing");
        }
        return tensor;
    }

    /** Returns a tensor, or null if the file has none of this name. */
    public @Nullable GgufTensor findTensor(String name) {
        checkOpen();
        return tensors.get(name);
    }

    /** All tensors, in the file's order. */
    public Collection<GgufTensor> tensors() {
        checkOpen();
        return tensors.values();
    }

    /**
     * Identifies the weights and what is made of them: 32 hexadecimal digits, the same for a copy of the file.
     *
     * <p>It is a SHA-256, cut to 128 bits, of the file's length, its header (metadata, vocabulary, tensor table) and
     * the tensors' data: all of it for tensors of up to 64 KiB, and 16 evenly spread pages of 4 KiB, the first and the
     * last among them, for longer ones. Other weights, another quantisation or another vocabulary give another
     * fingerprint; a change made by hand between two pages does not. The first call reads those pages; later ones
     * return what it found.
     */
    public synchronized String fingerprint() {
        if (fingerprint == null) {
            checkOpen();
            fingerprint = ModelFingerprint.of(mapped, dataStart, tensors.values());
        }
        return fingerprint;
    }

    @Override
    public void close() {
        closed = true;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(file + " is closed");
        }
    }
}
