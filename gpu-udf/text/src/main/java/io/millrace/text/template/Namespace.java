package io.millrace.text.template;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one value of a template that can be changed: {@code namespace(a=1)}, then {@code {% set ns.a = 2 %}}. */
final class Namespace {
    private final Map<String, Object> attributes = new LinkedHashMap<>();

    @Nullable
    Object get(String name) {
        return attributes.get(name);
    }

    void set(String name, Object value) {
        if (name.startsWith("_")) {
            throw TemplateException.of("a namespace cannot hold '" + name + "': names must not begin with '_'");
        }
        attributes.put(name, value);
    }
}
