package io.millrace.text.template;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template, compiled: it turns messages into the text of a prompt.
 *
 * <p>The language is Jinja as the Transformers library sets it up: block lines leave no white space, {@code
 * break} and {@code continue} work, {@code raise_exception} and {@code strftime_now} exist, and {@code tojson} escapes
 * nothing for HTML. Rendering reads nothing but the variables and the clock, and is held to {@link TemplateLimits}.
 * Instances are immutable and may be used by several threads at once.
 */
public final class ChatTemplate {
    private final String source;
    private final List<Statement> statements;
    private final Map<List<Statement>, Set<String>> hidden;
    private final TemplateLimits limits;
    private final Clock clock;

    private ChatTemplate(String source, List<Statement> statements, TemplateLimits limits, Clock clock) {
        this.source = source;
        this.statements = statements;
        this.hidden = ScopeAnalysis.of(statements);
        this.limits = limits;
        this.clock = clock;
    }

    /**
     * Compiles a template with {@link TemplateLimits#DEFAULT} and the system's clock.
     *
     * @throws ServingException with {@link ErrorCode#MODEL_FILE_INVALID} and the line where the template is wrong
     */
    public static ChatTemplate compile(String source) {
        return compile(source, TemplateLimits.DEFAULT, Clock.systemDefaultZone());
    }

    /**
     * Compiles a template.
     *
     * @param clock what the template's {@code strftime_now} reads
     * @throws ServingException with {@link ErrorCode#MODEL_FILE_INVALID} and the line where the template is wrong
     */
    public static ChatTemplate compile(String source, TemplateLimits limits, Clock clock) {
        requireNonNull(source, "source");
        requireNonNull(limits, "limits");
        requireNonNull(clock, "clock");
        if (source.length() > limits.maxTemplateChars()) {
            throw new ServingException(
                    ErrorCode.MODEL_FILE_INVALID,
                    "chat template has " + source.length() + " characters, more than " + limits.maxTemplateChars());
        }
        try {
            return new ChatTemplate(source, TemplateParser.parse(source), limits, clock);
        } catch (TemplateException e) {
            String where = e.line() > 0 ? "chat template, line " + e.line() + ": " : "chat template: ";
            throw new ServingException(ErrorCode.MODEL_FILE_INVALID, where + e.text(), e);
        }
    }

    /** Returns the template's text. */
    public String source() {
        return source;
    }

    /**
     * Renders the template.
     *
     * @param variables maps, lists, strings, numbers, booleans and nulls
     * @throws ServingException with {@link ErrorCode#TEMPLATE_REFUSED}: with the template's own message where it called
     *     {@code raise_exception}, else with the line and what went wrong there
     */
    public String render(Map<String, ? extends @Nullable Object> variables) {
        Budget budget = new Budget(limits);
        Interpreter interpreter = new Interpreter(new RenderContext(budget, clock), hidden);
        try {
            Map<String, Object> taken = new HashMap<>();
            variables.forEach((name, value) -> taken.put(name, Values.take(value, limits.maxDepth() / 2)));
            return interpreter.render(statements, Interpreter.globals(taken));
        } catch (TemplateException e) {
            String message = e.isRaised() ? e.text() : "chat template, line " + interpreter.line() + ": " + e.text();
            throw new ServingException(ErrorCode.TEMPLATE_REFUSED, message, e);
        } catch (StackOverflowError e) {
            // The depth limit should make this impossible; a caller with an unusually small stack still gets an answer.
            throw new ServingException(
                    ErrorCode.TEMPLATE_REFUSED,
                    "chat template, line " + interpreter.line() + ": it nests too deep for this thread's stack");
        }
    }
}
