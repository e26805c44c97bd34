package io.millrace.backend.cuda.device;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The compiled kernels in this jar, as {@code gpu-udf/cuda/kernels.sh} makes them: for each family that
 * {@code kernels.txt} names {@code FAMILY.sm_80.cubin} and the like, for one architecture each, and
 * {@code FAMILY.compute_80.ptx}, which the driver compiles for newer ones.
 */
final class KernelResources {
    private static final String FOLDER = "/millrace/cuda/";
    /** What PTX is compiled for: the oldest architecture that has the kernels' instructions. */
    private static final int ARCHITECTURE_MIN = 80;

    /** One family, compiled. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
    record Image(String name, byte[] bytes) {}

    private final Function<String, byte @Nullable []> files;

    /** With what reads a file, or gives null where there is none. */
    KernelResources(Function<String, byte @Nullable []> files) {
        this.files = requireNonNull(files, "files");
    }

    /** Those of this jar. */
    static KernelResources ofJar() {
        return new KernelResources(KernelResources::read);
    }

    /**
     * Names the families of kernels.
     *
     * @throws ServingException {@code UNAVAILABLE} if this jar was built without kernels
     */
    List<String> families() {
        byte[] list = files.apply("kernels.txt");
        List<String> families = list == null
                ? List.of()
                : new String(list, StandardCharsets.UTF_8)
                        .lines()
                        .map(String::strip)
                        .filter(line -> !line.isEmpty())
                        .toList();
        if (families.isEmpty()) {
            throw unavailable("this build has no CUDA kernels: there was no nvcc when it was made");
        }
        return families;
    }

    /**
     * Reads each family for an architecture: the cubin for exactly it, else PTX.
     *
     * @throws ServingException {@code UNAVAILABLE} if there is none
     */
    List<Image> imagesFor(int architecture, String device) {
        List<Image> images = new ArrayList<>();
        for (String family : families()) {
            if (architecture < ARCHITECTURE_MIN) {
                throw unavailable(device + " has compute capability " + architecture / 10 + "." + architecture % 10
                        + "; the kernels need 8.0 or newer");
            }
            images.add(image(family, architecture));
        }
        return images;
    }

    private Image image(String family, int architecture) {
        // What is compiled for 9.0 alone has an "a" in its name.
        for (String suffix : List.of("a.cubin", ".cubin")) {
            String name = family + ".sm_" + architecture + suffix;
            byte[] cubin = files.apply(name);
            if (cubin != null) {
                return new Image(name, cubin);
            }
        }
        String name = family + ".compute_" + ARCHITECTURE_MIN + ".ptx";
        byte[] text = files.apply(name);
        if (text == null) {
            throw unavailable("this build lacks the CUDA kernels " + name);
        }
        // The driver wants text to end with a zero.
        return new Image(name, Arrays.copyOf(text, text.length + 1));
    }

    private static ServingException unavailable(String message) {
        return new ServingException(ErrorCode.UNAVAILABLE, message);
    }

    private static byte @Nullable [] read(String file) {
        try (InputStream in = KernelResources.class.getResourceAsStream(FOLDER + file)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(FOLDER + file, e);
        }
    }
}
