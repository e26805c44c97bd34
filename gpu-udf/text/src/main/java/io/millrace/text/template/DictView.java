package io.millrace.text.template;

import java.util.AbstractCollection;
import java.util.Iterator;
import java.util.List;

/** What a dict's {@code keys()}, {@code values()} and {@code items()} give: counted and gone over, never indexed. */
final class DictView extends AbstractCollection<Object> {
    private final String type;
    private final List<Object> items;

    DictView(String type, List<Object> items) {
        this.type = type;
        this.items = items;
    }

    /** Returns Python's name of its type. */
    String type() {
        return type;
    }

    List<Object> items() {
        return items;
    }

    @Override
    public Iterator<Object> iterator() {
        return items.iterator();
    }

    @Override
    public int size() {
        return items.size();
    }
}
