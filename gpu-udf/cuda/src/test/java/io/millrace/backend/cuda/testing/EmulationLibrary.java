package io.millrace.backend.cuda.testing;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;

/** The exports of {@code emulator.cc}. */
public interface EmulationLibrary extends Library {
    /** Runs a kernel; 0 if all its threads ended well. */
    int millrace_launch(
            String kernel, int gx, int gy, int gz, int bx, int by, int bz, int sharedBytes, Pointer arguments);

    /** What was wrong with this thread's last launch. */
    String millrace_error();

    /** Bytes of a kernel's arguments, or -1 if there is none of this name. */
    int millrace_args_bytes(String kernel);

    /** How kernels run: on how many threads, in which order of threads, when copies happen. */
    void millrace_configure(int hostThreads, int fallingOrder, int copiesAtOnce);

    /** The kernels' logarithms of some numbers, for comparing with {@link StrictMath}'s. */
    void millrace_strict(double[] arguments, double[] log, double[] log1p, int count);

    /** Loads the library that the build made. */
    static EmulationLibrary load() {
        return Holder.library();
    }

    /** Whether the build made the library: it does where there is a g++. */
    static boolean isBuilt() {
        return EmulationLibrary.class.getResource(Holder.RESOURCE) != null;
    }

    /** Loads once. */
    final class Holder {
        static final String RESOURCE = "/libmillrace_emulated.so";
        private static @Nullable EmulationLibrary library;

        private Holder() {}

        static synchronized EmulationLibrary library() {
            if (library == null) {
                Path file = file();
                if (file == null) {
                    throw new ServingException(
                            ErrorCode.UNAVAILABLE, "the CUDA kernels were not compiled for the host: there was no g++");
                }
                library = Native.load(file.toString(), EmulationLibrary.class);
            }
            return library;
        }

        static @Nullable Path file() {
            URL url = EmulationLibrary.class.getResource(RESOURCE);
            if (url == null) {
                return null;
            }
            try {
                return url.getProtocol().equals("file") ? Path.of(url.toURI()) : extracted(url);
            } catch (URISyntaxException | IOException e) {
                throw new IllegalStateException("the library cannot be read: " + url, e);
            }
        }

        /** Out of a jar: the loader wants a file. */
        private static Path extracted(URL url) throws IOException {
            Path file = Files.createTempFile("millrace-emulated", ".so");
            file.toFile().deleteOnExit();
            try (InputStream in = url.openStream()) {
                Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            }
            return file;
        }
    }
}
