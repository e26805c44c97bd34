package io.millrace.text.output;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the JSON of tool calls as models write it. */
final class CallReader {
    /**
     * One call.
     *
     * @param arguments JSON text of an object, as the model wrote it wherever that is JSON
     */
    record Call(String name, String arguments) {}

    private static final JsonFactory STRICT = new JsonFactory();

    /** Models write line breaks into strings as they are. */
    private static final ObjectMapper LENIENT = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private CallReader() {}

    /** Reads one call or an array of calls; returns null if the text is anything else. */
    static @Nullable List<Call> read(String json) {
        try {
            return readAsWritten(json);
        } catch (IOException notStrict) {
            return readRepaired(json);
        }
    }

    /** Reads arguments on their own; returns null if the text is no object. */
    static @Nullable String arguments(String json) {
        List<Call> calls = read("{\"name\":\"x\",\"arguments\":" + json + "}");
        return calls == null ? null : calls.get(0).arguments();
    }

    private static @Nullable List<Call> readAsWritten(String json) throws IOException {
        List<Call> calls = new ArrayList<>();
        try (JsonParser parser = STRICT.createParser(json)) {
            boolean array = parser.nextToken() == JsonToken.START_ARRAY;
            if (array) {
                parser.nextToken();
            }
            while (parser.currentToken() == JsonToken.START_OBJECT) {
                Call call = readObject(parser, json);
                if (call == null) {
                    return null;
                }
                calls.add(call);
                if (!array) {
                    break;
                }
                parser.nextToken();
            }
            boolean ended = array ? parser.currentToken() == JsonToken.END_ARRAY : !calls.isEmpty();
            return ended && !calls.isEmpty() && parser.nextToken() == null ? calls : null;
        }
    }

    private static @Nullable Call readObject(JsonParser parser, String json) throws IOException {
        String name = null;
        String arguments = "{}";
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            if ((field.equals("name") || field.equals("function")) && value == JsonToken.VALUE_STRING) {
                name = parser.getText();
            } else if (field.equals("arguments") || field.equals("parameters")) {
                if (value == JsonToken.VALUE_STRING) {
                    arguments = parser.getText();
                    if (arguments.isBlank()) {
                        arguments = "{}";
                    } else if (!isObject(arguments)) {
                        return null;
                    }
                } else if (value == JsonToken.START_OBJECT) {
                    int begin = (int) parser.currentTokenLocation().getCharOffset();
                    parser.skipChildren();
                    arguments =
                            json.substring(begin, (int) parser.currentLocation().getCharOffset());
                } else if (value != JsonToken.VALUE_NULL) {
                    return null;
                }
            } else {
                parser.skipChildren();
            }
        }
        return name == null || name.isEmpty() ? null : new Call(name, arguments);
    }

    private static boolean isObject(String json) {
        try {
            JsonNode node = LENIENT.readTree(json);
            return node != null && node.isObject();
        } catch (IOException e) {
            return false;
        }
    }

    private static @Nullable List<Call> readRepaired(String json) {
        try {
            return readAsWritten(LENIENT.writeValueAsString(LENIENT.readTree(json)));
        } catch (IOException e) {
            return null;
        }
    }
}
