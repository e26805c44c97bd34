package io.millrace.connector.kafka.records;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.utils.Utils;

/**
 * What Millrace's records look like in Kafka. The key is the session's id in UTF-8, the value a Protobuf message, and a
 * header names the version of the schema:
 *
 * <pre>
 *   key      session id, UTF-8
 *   value    AgentRequest | TokenChunk
 *   header   millrace-schema-version: "1"     none is 1 too
 * </pre>
 *
 * <p>The partition follows from the key as Kafka's own partitioner has it, so whoever knows the session knows where its
 * records are.
 */
public final class KafkaRecords {
    /** The header that names the schema's version, in decimal digits. */
    public static final String SCHEMA_VERSION_HEADER = "millrace-schema-version";
    /** The version that is written, and the only one that is read. */
    public static final int SCHEMA_VERSION = 1;

    private static final Header VERSION = new RecordHeader(
            SCHEMA_VERSION_HEADER, Integer.toString(SCHEMA_VERSION).getBytes(StandardCharsets.US_ASCII));
    private static final int SHOWN_BYTES_MAX = 32;

    private KafkaRecords() {}

    /** The record of a request. */
    public static ProducerRecord<byte[], byte[]> encode(AgentRequest request, String topic) {
        return encode(topic, request.getSessionId(), request);
    }

    /** The record of a chunk. */
    public static ProducerRecord<byte[], byte[]> encode(TokenChunk chunk, String topic) {
        return encode(topic, chunk.getSessionId(), chunk);
    }

    private static ProducerRecord<byte[], byte[]> encode(String topic, String sessionId, MessageLite message) {
        return new ProducerRecord<>(topic, null, null, key(sessionId), message.toByteArray(), List.of(VERSION));
    }

    /** The key of a session's records. */
    public static byte[] key(String sessionId) {
        return sessionId.getBytes(StandardCharsets.UTF_8);
    }

    /** The partition of a session's records, of so many. */
    public static int partition(String sessionId, int partitionCount) {
        return Utils.toPositive(Utils.murmur2(key(sessionId))) % partitionCount;
    }

    /**
     * Reads a request.
     *
     * @throws ServingException {@code INVALID_REQUEST} with the reason, if the record is none, or one that nobody could
     *     be answered of: without a session or an id
     */
    public static AgentRequest decodeRequest(ConsumerRecord<byte[], byte[]> record) {
        AgentRequest request = decode(record, AgentRequest.parser(), "AgentRequest");
        check(!request.getSessionId().isEmpty(), "the request names no session");
        check(!request.getRequestId().isEmpty(), "the request has no id");
        return request;
    }

    /**
     * Reads a chunk.
     *
     * @throws ServingException {@code INVALID_REQUEST} with the reason, if the record is none
     */
    public static TokenChunk decodeChunk(ConsumerRecord<byte[], byte[]> record) {
        TokenChunk chunk = decode(record, TokenChunk.parser(), "TokenChunk");
        check(!chunk.getSessionId().isEmpty() && !chunk.getRequestId().isEmpty(), "the chunk names no turn");
        return chunk;
    }

    private static <T> T decode(ConsumerRecord<byte[], byte[]> record, Parser<T> parser, String name) {
        checkVersion(record);
        byte[] value = record.value();
        check(value != null, "the record has no value");
        try {
            return parser.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "the value is no " + name + ": " + e.getMessage(), e);
        }
    }

    private static void checkVersion(ConsumerRecord<byte[], byte[]> record) {
        Header header = record.headers().lastHeader(SCHEMA_VERSION_HEADER);
        if (header == null || Arrays.equals(header.value(), VERSION.value())) {
            return;
        }
        byte[] bytes = header.value() == null ? new byte[0] : header.value();
        String version = new String(bytes, 0, Math.min(bytes.length, SHOWN_BYTES_MAX), StandardCharsets.ISO_8859_1);
        check(false, "schema version \"" + version + "\" is not known here: " + SCHEMA_VERSION + " is");
    }

    /**
     * Refuses a request that no record may hold, before a producer does.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming its size and the limit
     */
    public static void checkSize(AgentRequest request, KafkaSettings settings) {
        int bytes = request.getSerializedSize();
        check(
                bytes <= settings.maxRequestBytes(),
                "the request has " + bytes + " bytes, and the limit is " + settings.maxRequestBytes());
    }

    private static void check(boolean condition, String message) {
        if (!condition) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, message);
        }
    }
}
