package io.millrace.durability;

import java.io.IOException;
import java.net.URI;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystemFactory;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.local.LocalFileSystem;
import org.jspecify.annotations.Nullable;

/** Local files whose operations fail when they are told to: {@code faulty:///some/folder/RUN/…} belongs to a run. */
public final class FaultyFileSystem extends LocalFileSystem {
    /** The scheme of its addresses. */
    public static final String SCHEME = "faulty";

    /** Makes the one file system of the scheme; found by {@link java.util.ServiceLoader}. */
    public static final class Factory implements FileSystemFactory {
        @Override
        public String getScheme() {
            return SCHEME;
        }

        @Override
        public FileSystem create(URI address) {
            return new FaultyFileSystem();
        }
    }

    /** The address of a folder, whose last name is a run's. */
    public static String address(java.nio.file.Path folder) {
        return SCHEME + "://" + folder.toAbsolutePath();
    }

    /** The folder or file of an address. */
    public static java.nio.file.Path path(String address) {
        return java.nio.file.Path.of(URI.create(address).getPath());
    }

    @Override
    public URI getUri() {
        return URI.create(SCHEME + ":///");
    }

    @Override
    public FSDataOutputStream create(Path path, FileSystem.WriteMode mode) throws IOException {
        Faults faults = faults(path);
        pass(faults, FaultPoint.FILE_CREATE);
        return new Output(super.create(path, mode), faults);
    }

    @Override
    public FSDataInputStream open(Path path, int bufferBytes) throws IOException {
        return open(path);
    }

    @Override
    public FSDataInputStream open(Path path) throws IOException {
        Faults faults = faults(path);
        pass(faults, FaultPoint.FILE_OPEN);
        return new Input(super.open(path), faults);
    }

    /** Those of the run that a folder of the path is named after; null once it has ended. */
    private static @Nullable Faults faults(Path path) {
        for (String name : path.getPath().split("/", -1)) {
            Faults faults = Faults.find(name);
            if (faults != null) {
                return faults;
            }
        }
        return null;
    }

    private static void pass(@Nullable Faults faults, FaultPoint point) throws IOException {
        if (faults != null) {
            faults.passIo(point);
        }
    }

    private static final class Output extends FSDataOutputStream {
        private final FSDataOutputStream out;
        private final @Nullable Faults faults;

        Output(FSDataOutputStream out, @Nullable Faults faults) {
            this.out = out;
            this.faults = faults;
        }

        @Override
        public void write(int value) throws IOException {
            out.write(value);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            pass(faults, FaultPoint.FILE_WRITE);
            out.write(bytes, offset, length);
        }

        @Override
        public long getPos() throws IOException {
            return out.getPos();
        }

        @Override
        public void flush() throws IOException {
            out.flush();
        }

        @Override
        public void sync() throws IOException {
            out.sync();
        }

        @Override
        public void close() throws IOException {
            out.close();
            pass(faults, FaultPoint.FILE_CLOSE);
        }
    }

    private static final class Input extends FSDataInputStream {
        private final FSDataInputStream in;
        private final @Nullable Faults faults;

        Input(FSDataInputStream in, @Nullable Faults faults) {
            this.in = in;
            this.faults = faults;
        }

        @Override
        public int read() throws IOException {
            return in.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            pass(faults, FaultPoint.FILE_READ);
            return in.read(bytes, offset, length);
        }

        @Override
        public void seek(long position) throws IOException {
            in.seek(position);
        }

        @Override
        public long getPos() throws IOException {
            return in.getPos();
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
