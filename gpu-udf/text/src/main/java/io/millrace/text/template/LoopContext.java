package io.millrace.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} inside a loop. */
final class LoopContext implements Invocable {
    private final List<Object> items;
    private final int depth;

    /** Runs the loop's body over other elements, or is null where the loop is not recursive. */
    private final @Nullable Invocable recursion;

    private int index;
    private @Nullable Object lastChanged;

    LoopContext(List<Object> items, int depth, @Nullable Invocable recursion) {
        this.items = items;
        this.depth = depth;
        this.recursion = recursion;
    }

    void moveTo(int newIndex) {
        index = newIndex;
    }

    @Override
    public Object invoke(RenderContext context, Arguments arguments) {
        if (recursion == null) {
            throw TemplateException.of("the loop must have the 'recursive' marker to be called recursively");
        }
        return recursion.invoke(context, arguments);
    }

    @Nullable
    Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) items.size() - index;
            case "revindex0" -> items.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == items.size() - 1;
            case "length" -> (long) items.size();
            case "depth" -> depth + 1L;
            case "depth0" -> (long) depth;
            case "previtem" -> index == 0 ? new Undefined("there is no previous item") : items.get(index - 1);
            case "nextitem" ->
                index == items.size() - 1 ? new Undefined("there is no next item") : items.get(index + 1);
            case "cycle" ->
                (Invocable) (context, arguments) -> {
                    List<Object> values = arguments.positional();
                    if (values.isEmpty()) {
                        throw TemplateException.of("no items for cycling given");
                    }
                    return values.get(index % values.size());
                };
            case "changed" ->
                (Invocable) (context, arguments) -> {
                    Tuple now = new Tuple(List.copyOf(arguments.positional()));
                    boolean changed = lastChanged == null || !Values.equal(lastChanged, now, context.budget());
                    lastChanged = now;
                    return changed;
                };
            default -> null;
        };
    }
}
