package io.millrace.text.template;

import java.util.Iterator;
import java.util.List;

/** What {@code map}, {@code select} and their like give: elements to go over once, neither counted nor indexed. */
final class Generator {
    private final Iterator<Object> rest;

    Generator(List<Object> items) {
        this.rest = items.iterator();
    }

    Iterator<Object> rest() {
        return rest;
    }
}
