package io.millrace.badinput;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Speaks HTTP without threads or pooled connections of its own, well or badly. */
final class RawClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TIMEOUT_MS = 30_000;
    private static final int PART_BYTES = 1 << 16;

    private final URI gateway;

    RawClient(URI gateway) {
        this.gateway = gateway;
    }

    /** An answer: its body as text, and the headers that name its turn and its kind. */
    record Answer(int status, String contentType, String turnId, String body) {
        JsonNode json() throws IOException {
            return JSON.readTree(body);
        }
    }

    /** Posts a body to completions, and reads the answer to its end. Headers are name, value, name, value. */
    Answer post(String body, String... headers) throws IOException {
        HttpURLConnection connection = connection("/v1/chat/completions", headers);
        connection.setRequestMethod("POST");
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        return answer(connection);
    }

    Answer get(String path, String... headers) throws IOException {
        return answer(connection(path, headers));
    }

    private HttpURLConnection connection(String path, String... headers) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) gateway.resolve(path).toURL().openConnection();
        connection.setConnectTimeout(TIMEOUT_MS);
        connection.setReadTimeout(TIMEOUT_MS);
        connection.setRequestProperty("Connection", "close");
        for (int i = 0; i < headers.length; i += 2) {
            connection.setRequestProperty(headers[i], headers[i + 1]);
        }
        return connection;
    }

    private static Answer answer(HttpURLConnection connection) throws IOException {
        int status = connection.getResponseCode();
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new Answer(
                    status,
                    connection.getContentType(),
                    connection.getHeaderField("x-request-id"),
                    new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /** A connection with a small receive buffer, so that what is not read stays with the gateway. */
    Socket socket() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4 * 1024);
        socket.setSoTimeout(TIMEOUT_MS);
        socket.connect(new InetSocketAddress(gateway.getHost(), gateway.getPort()));
        return socket;
    }

    /** Writes a request's head and body to a socket. */
    static void write(Socket socket, String body, String... headers) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        socket.getOutputStream().write(head("Content-Length: " + bytes.length, headers));
        socket.getOutputStream().write(bytes);
    }

    private static byte[] head(String lengthHeader, String... headers) {
        StringBuilder head = new StringBuilder("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/json\r\nConnection: close\r\n");
        for (int i = 0; i < headers.length; i += 2) {
            head.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
        }
        return head.append(lengthHeader).append("\r\n\r\n").toString().getBytes(StandardCharsets.US_ASCII);
    }

    /** Reads a socket until a text has come, or the end; returns all that came. */
    static String readUntil(Socket socket, String text) throws IOException {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        InputStream in = socket.getInputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            read.write(next);
            if (next == text.charAt(text.length() - 1)
                    && read.toString(StandardCharsets.UTF_8).endsWith(text)) {
                break;
            }
        }
        return read.toString(StandardCharsets.UTF_8);
    }

    /** Sends so many bytes as a request's body, as long as the gateway takes them; returns what it answers. */
    String postBytes(int count, boolean chunked) throws Exception {
        try (Socket socket = socket()) {
            socket.getOutputStream().write(head(chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + count));
            Thread writer = new Thread(() -> writeSpaces(socket, count, chunked), "large-body");
            writer.start();
            // A client that reads nothing before it has sent all may see a reset instead of the answer.
            String answer = readUntil(socket, "}}");
            socket.close();
            writer.join();
            return answer;
        }
    }

    private static void writeSpaces(Socket socket, int count, boolean chunked) {
        byte[] part = new byte[PART_BYTES];
        Arrays.fill(part, (byte) ' ');
        byte[] size = (Integer.toHexString(PART_BYTES) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        try {
            for (int sent = 0; sent < count; sent += part.length) {
                if (chunked) {
                    socket.getOutputStream().write(size);
                }
                socket.getOutputStream().write(part);
                if (chunked) {
                    socket.getOutputStream().write("\r\n".getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (IOException e) {
            // The gateway hangs up on a body that is too large.
        }
    }

    /** Waits for what nobody tells of, but follows soon from what has happened. */
    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        await(() -> what, condition);
    }

    static void await(Supplier<String> what, BooleanSupplier condition) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(() -> "in time: " + what.get()).isLessThan(deadlineNanos);
            Thread.sleep(5);
        }
    }
}
