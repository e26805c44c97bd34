package io.millrace.text.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A macro, with the scope it was defined in. */
final class Macro implements Invocable {
    private final String name;
    private final Statement.MacroBody body;
    private final Scope scope;
    private final Interpreter interpreter;

    Macro(String name, Statement.MacroBody body, Scope scope, Interpreter interpreter) {
        this.name = name;
        this.body = body;
        this.scope = scope;
        this.interpreter = interpreter;
    }

    @Nullable
    Object attribute(String attribute) {
        return switch (attribute) {
            case "name" -> name;
            case "arguments" -> new Tuple(List.copyOf(body.parameters()));
            default -> null;
        };
    }

    @Override
    public Object invoke(RenderContext context, Arguments arguments) {
        Scope inner = interpreter.scope(body.body(), scope);
        List<String> parameters = body.parameters();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        Object caller = named.remove("caller");
        inner.set("caller", caller == null ? new Undefined("No caller defined") : caller);
        int firstDefault = parameters.size() - body.defaults().size();
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            Object value = named.remove(parameter);
            if (i < arguments.positional().size()) {
                if (value != null) {
                    throw TemplateException.of("macro '" + name + "' got two values for '" + parameter + "'");
                }
                value = arguments.positional().get(i);
            }
            if (value == null) {
                value = i >= firstDefault
                        ? interpreter.evaluate(body.defaults().get(i - firstDefault), inner)
                        : new Undefined("parameter '" + parameter + "' was not provided");
            }
            inner.set(parameter, value);
        }
        rest(arguments, named, inner);
        return interpreter.block(body.body(), inner);
    }

    /** Gives the macro what its parameters left over, if it reads that. */
    private void rest(Arguments arguments, Map<String, Object> named, Scope inner) {
        List<Object> extra = arguments.from(body.parameters().size()).positional();
        if (!extra.isEmpty() && !body.readsVarargs()) {
            throw TemplateException.of("macro '" + name + "' takes not more than "
                    + body.parameters().size() + " argument(s)");
        }
        if (!named.isEmpty() && !body.readsKwargs()) {
            throw TemplateException.of("macro '" + name + "' takes no keyword argument " + named.keySet());
        }
        inner.set("varargs", new Tuple(List.copyOf(extra)));
        inner.set("kwargs", new LinkedHashMap<Object, Object>(named));
    }
}
