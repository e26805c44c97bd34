package io.millrace.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The values of {@code joiner()} and {@code cycler()}, which change by being called. */
final class Joiners {
    private Joiners() {}

    /** Gives nothing the first time it is called, and its separator from then on. */
    static final class Joiner implements Invocable {
        private final Object separator;
        private boolean used;

        Joiner(Object separator) {
            this.separator = separator;
        }

        @Override
        public Object invoke(RenderContext context, Arguments arguments) {
            arguments.bind("joiner", 0);
            Object value = used ? separator : "";
            used = true;
            return value;
        }
    }

    /** Gives its items one after the other, and begins again after the last. */
    static final class Cycler {
        private final List<Object> items;
        private int position;

        Cycler(List<Object> items) {
            if (items.isEmpty()) {
                throw TemplateException.of("at least one item has to be provided");
            }
            this.items = List.copyOf(items);
        }

        @Nullable
        Object attribute(String name) {
            return switch (name) {
                case "current" -> items.get(position);
                case "next" ->
                    (Invocable) (context, arguments) -> {
                        Object value = items.get(position);
                        position = (position + 1) % items.size();
                        return value;
                    };
                case "reset" ->
                    (Invocable) (context, arguments) -> {
                        position = 0;
                        return None.NONE;
                    };
                default -> null;
            };
        }
    }
}
