package io.millrace.text.prompt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** JSON of a request as the values of a template: maps that keep their order, lists, strings, numbers. */
final class JsonValues {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Writes JSON as chat templates do, so that a fallback's text looks like a template's. */
    private static final ChatTemplate WRITER = ChatTemplate.compile("{{ value | tojson }}");

    private JsonValues() {}

    /**
     * Reads a JSON object.
     *
     * @param param the request's field, for errors
     * @throws ServingException with {@link ErrorCode#INVALID_REQUEST} if the text is anything else
     */
    static Map<String, @Nullable Object> object(String json, String param) {
        Object value;
        try {
            value = MAPPER.readValue(json, Object.class);
        } catch (JsonProcessingException e) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, param + " is not JSON: " + e.getOriginalMessage(), param, e);
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, param + " must be a JSON object", param, null);
        }
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        map.forEach((key, item) -> object.put(key.toString(), item));
        return object;
    }

    /** Returns the value with every string in it, keys too, passed through the guard. */
    static @Nullable Object guarded(@Nullable Object value, UnaryOperator<String> guard) {
        if (value instanceof String text) {
            return guard.apply(text);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> result = new LinkedHashMap<>();
            map.forEach((key, item) -> result.put(guard.apply(key.toString()), guarded(item, guard)));
            return result;
        }
        if (value instanceof List<?> list) {
            List<@Nullable Object> result = new ArrayList<>(list.size());
            list.forEach(item -> result.add(guarded(item, guard)));
            return result;
        }
        return value;
    }

    /** Writes a value as one line of JSON. */
    static String write(@Nullable Object value) {
        return WRITER.render(Collections.singletonMap("value", value));
    }
}
