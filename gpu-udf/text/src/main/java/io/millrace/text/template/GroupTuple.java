package io.millrace.text.template;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One group of the {@code groupby} filter: a pair whose halves have names too. */
final class GroupTuple extends AbstractList<Object> {
    private final Object grouper;
    private final List<Object> items;

    GroupTuple(Object grouper, List<Object> items) {
        this.grouper = grouper;
        this.items = items;
    }

    @Nullable
    Object attribute(String name) {
        return switch (name) {
            case "grouper" -> grouper;
            case "list" -> items;
            default -> null;
        };
    }

    @Override
    public Object get(int index) {
        if (index == 0) {
            return grouper;
        }
        if (index == 1) {
            return items;
        }
        throw new IndexOutOfBoundsException(index);
    }

    @Override
    public int size() {
        return 2;
    }
}
