package io.millrace.text.template;

import java.time.Clock;
import java.util.function.Function;

/**
 * What a rendering needs besides its variables.
 *
 * @param budget what may still be used up
 * @param clock what {@code strftime_now} reads
 */
record RenderContext(Budget budget, Clock clock) {

    /** Calls a value, if it is one that can be called. */
    Object call(Object callee, Arguments arguments) {
        if (callee instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!(callee instanceof Invocable invocable)) {
            throw TemplateException.of("'" + Values.typeName(callee) + "' object is not callable");
        }
        return nested(context -> invocable.invoke(context, arguments));
    }

    /** Runs something one level deeper. */
    Object nested(Function<RenderContext, Object> action) {
        budget.enter();
        Object result = action.apply(this);
        budget.leave();
        return result;
    }

    /** Returns what printing a value shows. */
    String str(Object value) {
        return PythonText.str(value, budget);
    }
}
