package io.millrace.text.template;

/** Python's {@code None}: a value of its own, so that no Java null is ever a template's value. */
enum None {
    NONE
}
