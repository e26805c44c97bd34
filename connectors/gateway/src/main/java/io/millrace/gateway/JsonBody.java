package io.millrace.gateway;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;

/**
 * Reads request bodies: UTF-8 JSON as RFC 8259 has it and nothing else. No repeated names, no {@code NaN}, no halves of
 * surrogate pairs, bounded depth.
 */
final class JsonBody {
    static final int MAX_DEPTH = 64;
    static final int MAX_NUMBER_CHARS = 64;
    static final int MAX_NAME_CHARS = 1_024;

    private final JsonMapper mapper;

    JsonBody(int maxBytes) {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(MAX_NUMBER_CHARS)
                        .maxNameLength(MAX_NAME_CHARS)
                        .maxStringLength(maxBytes)
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                // Names come from strangers: a process-wide table of them would grow.
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .build();
        this.mapper = JsonMapper.builder(factory)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
    }

    /** Parses a body, which must be an object. */
    ObjectNode parse(byte[] body) {
        JsonNode node = parseText(decode(body), "the request body");
        if (!(node instanceof ObjectNode object)) {
            throw malformed("the request body must be a JSON object");
        }
        checkText(object, "");
        return object;
    }

    /** Parses JSON text that came inside a body; {@code what} names it in errors. */
    JsonNode parseText(String text, String what) {
        try {
            return mapper.readTree(text);
        } catch (StreamConstraintsException e) {
            throw malformed(what + " is beyond a limit" + at(e) + ": JSON may be " + MAX_DEPTH
                    + " levels deep, with numbers of " + MAX_NUMBER_CHARS + " and names of " + MAX_NAME_CHARS
                    + " characters");
        } catch (MismatchedInputException e) {
            throw malformed(what + " is not valid JSON" + at(e) + ": there is more after the value");
        } catch (JsonProcessingException e) {
            throw malformed(what + " is not valid JSON" + at(e) + ": " + e.getOriginalMessage());
        }
    }

    /** Writes a node as compact JSON, names in the order in which they came. */
    String write(JsonNode node) {
        try {
            return mapper.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new ServingException(ErrorCode.INTERNAL, "a JSON tree could not be written", e);
        }
    }

    private static String at(JsonProcessingException e) {
        JsonLocation location = e.getLocation();
        return location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    private static ServingException malformed(String message) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message);
    }

    private static String decode(byte[] body) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer bytes = ByteBuffer.wrap(body);
        CharBuffer chars = CharBuffer.allocate(body.length);
        CoderResult result = decoder.decode(bytes, chars, true);
        if (result.isError()) {
            throw malformed("the request body is not valid UTF-8 at byte " + bytes.position());
        }
        return chars.flip().toString();
    }

    // An escaped half of a surrogate pair is valid JSON, but no text: it has no UTF-8 and no tokens.
    private static void checkText(JsonNode node, String path) {
        if (node.isTextual()) {
            checkSurrogates(node.textValue(), path);
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                JsonNode child = node.get(i);
                if (child.isContainerNode() || child.isTextual()) {
                    checkText(child, path + "[" + i + "]");
                }
            }
        } else if (node.isObject()) {
            for (Iterator<Map.Entry<String, JsonNode>> fields = node.fields(); fields.hasNext(); ) {
                Map.Entry<String, JsonNode> field = fields.next();
                checkSurrogates(field.getKey(), path);
                checkText(field.getValue(), JsonFields.join(path, field.getKey()));
            }
        }
    }

    private static void checkSurrogates(String text, String path) {
        int length = text.length();
        for (int i = 0; i < length; i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                boolean pair = Character.isHighSurrogate(text.charAt(i))
                        && i + 1 < length
                        && Character.isLowSurrogate(text.charAt(i + 1));
                if (!pair) {
                    throw new ServingException(
                            ErrorCode.INVALID_REQUEST,
                            JsonFields.orBody(path) + " has half of a surrogate pair at character " + i,
                            path,
                            null);
                }
                i++;
            }
        }
    }
}
