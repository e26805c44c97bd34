package io.millrace.text.template;

/**
 * A name or attribute that does not exist: prints as nothing, is false and empty, and any other use of it is an error.
 *
 * @param message what does not exist
 */
record Undefined(String message) {
    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    static Undefined attribute(Object target, Object attribute) {
        return new Undefined("'" + Values.typeName(target) + "' has no attribute '" + brief(attribute) + "'");
    }

    private static String brief(Object attribute) {
        String text = attribute instanceof String || attribute instanceof Long ? attribute.toString() : "?";
        return text.length() > 80 ? text.substring(0, 80) : text;
    }

    TemplateException error() {
        return TemplateException.of(message);
    }
}
