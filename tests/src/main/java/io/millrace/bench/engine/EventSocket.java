package io.millrace.bench.engine;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 request, whose answer is read a line at a time by the thread that asked: when a line has come is then
 * the server's doing, and not that of a client's own threads.
 */
public final class EventSocket implements AutoCloseable {
    private static final int LINE_BYTES_MAX = 1 << 20;

    private final Socket socket;
    private final InputStream in;
    private final int status;
    private final Map<String, String> headers = new HashMap<>();
    private int chunkBytesLeft;
    private boolean ended;

    private EventSocket(Socket socket, InputStream in) throws IOException {
        this.socket = socket;
        this.in = in;
        status = Integer.parseInt(rawLine().split(" ", -1)[1]);
        for (String header = rawLine(); !header.isEmpty(); header = rawLine()) {
            int colon = header.indexOf(':');
            headers.put(
                    header.substring(0, colon).toLowerCase(Locale.ROOT),
                    header.substring(colon + 1).strip());
        }
        if (!headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked")) {
            // An error, whole and with its length; the connection ends it too.
            chunkBytesLeft = Integer.MAX_VALUE;
        }
    }

    /** Sends a turn's request and reads the head of its answer. */
    static EventSocket post(URI endpoint, String session, String body, Duration limit) throws IOException {
        Map<String, String> headers = Map.of("Content-Type", "application/json", "X-Millrace-Session-ID", session);
        return request("POST", endpoint, headers, body, limit);
    }

    /**
     * Sends a request and reads the head of its answer.
     *
     * @param limit how long the server may be silent, once it is connected
     */
    public static EventSocket request(
            String method, URI endpoint, Map<String, String> headers, String body, Duration limit) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(endpoint.getHost(), endpoint.getPort()), (int) limit.toMillis());
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) limit.toMillis());
            byte[] content = body.getBytes(StandardCharsets.UTF_8);
            StringBuilder head = new StringBuilder(method + " " + endpoint.getPath() + " HTTP/1.1\r\nHost: "
                    + endpoint.getAuthority() + "\r\nConnection: close\r\nContent-Length: " + content.length + "\r\n");
            headers.forEach((name, value) ->
                    head.append(name).append(": ").append(value).append("\r\n"));
            ByteArrayOutputStream request = new ByteArrayOutputStream();
            request.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
            request.writeBytes(content);
            socket.getOutputStream().write(request.toByteArray());
            return new EventSocket(socket, new BufferedInputStream(socket.getInputStream(), 1 << 16));
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** The answer's status code. */
    public int status() {
        return status;
    }

    /** A header of the answer by its name in lower case, or null if it has none of that name. */
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /** The next line of the body, or null at its end. */
    public @Nullable String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = bodyByte(); next >= 0; next = bodyByte()) {
            if (next == '\n') {
                return line.toString(StandardCharsets.UTF_8);
            }
            line.write(next);
            checkLength(line);
        }
        return line.size() > 0 ? line.toString(StandardCharsets.UTF_8) : null;
    }

    private int bodyByte() throws IOException {
        if (ended) {
            return -1;
        }
        if (chunkBytesLeft == 0) {
            chunkBytesLeft = Integer.parseInt(rawLine(), 16);
            if (chunkBytesLeft == 0) {
                ended = true;
                return -1;
            }
        }
        int next = in.read();
        chunkBytesLeft--;
        if (chunkBytesLeft == 0) {
            rawLine();
        }
        return next;
    }

    private String rawLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("the answer ended in its head or between its chunks");
            }
            line.write(next);
            checkLength(line);
        }
        return line.toString(StandardCharsets.US_ASCII).stripTrailing();
    }

    private static void checkLength(ByteArrayOutputStream line) throws IOException {
        if (line.size() > LINE_BYTES_MAX) {
            throw new IOException("a line of more than " + LINE_BYTES_MAX + " bytes");
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
