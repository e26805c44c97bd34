package io.millrace.operators.grammar;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.many;
import static io.millrace.grammar.Expr.optional;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.EbnfParser;
import io.millrace.grammar.Expr;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.GrammarSource;
import io.millrace.grammar.RegexParser;
import io.millrace.grammar.json.JsonGrammars;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.OutputRules;
import io.millrace.proto.ToolRule;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.ArrayList;
import java.util.List;

/**
 * The grammar of the outputs that a turn's rules allow, in the form in which its model's family writes calls and
 * reasoning. Where a prefix is forced, the grammar begins behind it.
 *
 * <p>Calls have one form each, name before arguments; which keys come in which order in between, and where white space
 * is, the compiler of JSON Schemas says.
 */
final class OutputGrammar {
    private static final String THINK = "<think>";
    private static final String THINK_END = "</think>";

    private final OutputFormat format;
    private final OutputRules rules;
    private final GrammarParts parts = new GrammarParts();

    private OutputGrammar(OutputFormat format, OutputRules rules) {
        this.format = format;
        this.rules = rules;
    }

    /**
     * Writes the grammar of a turn's outputs.
     *
     * @param leadingSpace whether the tokenizer drops a space in front of an output
     * @throws ServingException {@code INVALID_REQUEST} with the path of what is not supported
     */
    static GrammarSource of(OutputFormat format, OutputRules rules, boolean leadingSpace) {
        OutputGrammar grammar = new OutputGrammar(format, rules);
        Expr output = rules.getMustCall() ? grammar.forcedCalls() : grammar.freeOrContent();
        return grammar.parts.source(leadingSpace ? sequence(optional(literal(" ")), output) : output);
    }

    private Expr forcedCalls() {
        CallSyntax syntax = CallSyntax.of(format.toolCalls());
        List<Expr> arguments = arguments();
        Expr first =
                rules.getForcedTool().isEmpty() ? behindQuote(syntax, arguments) : syntax.behindColon(arguments.get(0));
        return sequence(first, more(syntax, arguments), literal(syntax.close()));
    }

    private Expr freeOrContent() {
        boolean calls = rules.getToolsCount() > 0;
        if (!rules.hasContent()) {
            return callsInText();
        }
        Expr content = content(rules.getContent());
        return sequence(reasoning(), calls ? choice(content, wholeCalls()) : content);
    }

    /** Any text, and calls of the tools where their marker is. */
    private Expr callsInText() {
        CallSyntax syntax = CallSyntax.of(format.toolCalls());
        if (format.toolCalls() == ToolCallSyntax.HERMES) {
            Expr text = parts.textWithout(syntax.trigger());
            Expr call = sequence(literal(syntax.open()), behindQuote(syntax, arguments()));
            Expr further = sequence(call, text);
            return sequence(text, rules.getSingleCall() ? optional(further) : many(further));
        }
        if (format.toolCalls() == ToolCallSyntax.MISTRAL) {
            return sequence(parts.textWithout(syntax.trigger()), optional(wholeCalls()));
        }
        Expr bareCalls = wholeCalls();
        Expr marked = sequence(literal(syntax.trigger()), bareCalls);
        return choice(bareCalls, sequence(parts.textWithout(syntax.trigger(), '{'), optional(marked)));
    }

    /** Calls and nothing else, their marker included. */
    private Expr wholeCalls() {
        CallSyntax syntax = CallSyntax.of(format.toolCalls());
        List<Expr> arguments = arguments();
        Expr calls = sequence(behindQuote(syntax, arguments), more(syntax, arguments), literal(syntax.close()));
        if (format.toolCalls() != ToolCallSyntax.MISTRAL) {
            return sequence(literal(syntax.open()), calls);
        }
        // Templates of this family differ in whether a space follows the marker, and in whether the calls are an array.
        String head = syntax.open().substring(syntax.trigger().length());
        Expr array = sequence(optional(literal(" ")), literal(head), calls);
        List<Expr> named = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            named.add(sequence(literal(rules.getTools(i).getName() + "[ARGS]"), arguments.get(i)));
        }
        Expr one = new Expr.Choice(named);
        Expr further = many(sequence(literal(syntax.trigger()), one));
        Expr list = rules.getSingleCall() ? one : sequence(one, further);
        return sequence(literal(syntax.trigger()), choice(array, list));
    }

    private Expr more(CallSyntax syntax, List<Expr> arguments) {
        return rules.getSingleCall()
                ? Expr.EMPTY
                : many(sequence(literal(syntax.between()), behindQuote(syntax, arguments)));
    }

    private Expr behindQuote(CallSyntax syntax, List<Expr> arguments) {
        List<Expr> calls = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            calls.add(syntax.behindQuote(rules.getTools(i).getName(), arguments.get(i)));
        }
        return parts.named("call", new Expr.Choice(calls));
    }

    private List<Expr> arguments() {
        List<Expr> arguments = new ArrayList<>();
        for (int i = 0; i < rules.getToolsCount(); i++) {
            arguments.add(arguments(rules.getTools(i), "arguments" + i));
        }
        return arguments;
    }

    private Expr arguments(ToolRule tool, String name) {
        if (!tool.getParametersJson().isEmpty()) {
            try {
                return parts.include(name, () -> ToolSchemas.arguments(tool.getParametersJson(), tool.getParam()));
            } catch (ServingException e) {
                if (!tool.getLenient()) {
                    throw e;
                }
            }
        }
        return parts.include("object", JsonGrammars::anyObject);
    }

    /** What stands before the content of a model that thinks. */
    private Expr reasoning() {
        Expr lines = new Expr.Repeat(literal("\n"), 0, 2);
        return switch (format.reasoning()) {
            case NONE -> Expr.EMPTY;
            case TAGGED -> optional(sequence(lines, literal(THINK), thoughts(), lines));
            case OPENED -> sequence(thoughts(), lines);
        };
    }

    private Expr thoughts() {
        return sequence(parts.textWithout(THINK_END), literal(THINK_END));
    }

    private Expr content(OutputConstraint constraint) {
        String param = constraint.getParam();
        return switch (constraint.getKindCase()) {
            case JSON_OBJECT -> parts.include("object", JsonGrammars::anyObject);
            case JSON_SCHEMA ->
                parts.include("content", () -> ToolSchemas.arguments(constraint.getJsonSchema(), param(param)));
            case REGEX -> RegexParser.parse(constraint.getRegex(), RegexParser.Extent.WHOLE, GrammarLimits.DEFAULT);
            case EBNF -> parts.include("content", () -> EbnfParser.parse(constraint.getEbnf(), GrammarLimits.DEFAULT));
            case CHOICE ->
                new Expr.Choice(constraint.getChoice().getTextsList().stream()
                        .map(Expr::literal)
                        .toList());
            case KIND_NOT_SET ->
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST, "the output's constraint says nothing", param(param), null);
        };
    }

    private static String param(String param) {
        return param.isEmpty() ? "output_constraint" : param;
    }
}
