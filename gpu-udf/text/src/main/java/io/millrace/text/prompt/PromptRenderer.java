package io.millrace.text.prompt;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolChoice;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputFormat.Reasoning;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import io.millrace.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Renders chat requests with a model's chat template, with the variables that Transformers gives it.
 *
 * <p>What the template cannot render is put into what it can: tools into the system message, their calls into the
 * assistant's text, their results into user messages, and a system message into the first user message. Every string of
 * the client's passes through a guard, so that text that looks like a special token stays text. Instances are immutable
 * and may be used by several threads at once.
 */
public final class PromptRenderer {
    private final ChatTemplate template;
    private final String bosToken;
    private final String eosToken;
    private final UnaryOperator<String> guard;
    private final TemplateCapabilities capabilities;
    private final CallFormat callFormat;

    /**
     * Makes a renderer, and probes what the template can render.
     *
     * @param bosToken text of the token that begins a text, or the empty string
     * @param eosToken text of the token that ends one, or the empty string
     * @param guard takes a string of the client's and returns it so that it becomes no special token
     */
    public PromptRenderer(ChatTemplate template, String bosToken, String eosToken, UnaryOperator<String> guard) {
        this.template = requireNonNull(template, "template");
        this.bosToken = requireNonNull(bosToken, "bosToken");
        this.eosToken = requireNonNull(eosToken, "eosToken");
        this.guard = requireNonNull(guard, "guard");
        this.capabilities = TemplateCapabilities.of(template, bosToken, eosToken);
        this.callFormat = CallFormat.of(template.source(), capabilities);
    }

    /**
     * Renders a request.
     *
     * @throws ServingException with {@link ErrorCode#INVALID_REQUEST} and the field at fault, or with {@link
     *     ErrorCode#TEMPLATE_REFUSED} where the template refuses the messages
     */
    public RenderedPrompt render(ChatRequest request) {
        boolean offersTools =
                request.getToolsCount() > 0 && request.getToolChoice().getMode() != ToolChoice.Mode.NONE;
        List<@Nullable Object> tools = offersTools ? tools(request) : List.of();
        MessageList messages = new MessageList(template.source(), capabilities, guard);
        messages.addAll(request.getMessagesList());
        if (offersTools && !capabilities.nativeTools()) {
            messages.addToSystem(ToolPrompt.offer(tools));
        }
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        if (!request.getTemplateVariablesJson().isEmpty()) {
            JsonValues.object(request.getTemplateVariablesJson(), "template_variables")
                    .forEach((name, value) -> variables.put(name, JsonValues.guarded(value, guard)));
        }
        variables.put("messages", messages.rendered());
        variables.put("tools", offersTools && capabilities.nativeTools() ? tools : null);
        variables.put("documents", null);
        variables.put("add_generation_prompt", true);
        variables.put("bos_token", bosToken);
        variables.put("eos_token", eosToken);
        String prompt = template.render(variables);
        OutputFormat format =
                new OutputFormat(offersTools ? callFormat.syntax() : ToolCallSyntax.PLAIN, reasoning(prompt));
        return force(request, prompt, format, offersTools);
    }

    /** Returns the format of outputs to requests that offer tools. */
    public OutputFormat toolFormat() {
        return new OutputFormat(callFormat.syntax(), reasoning(""));
    }

    private List<@Nullable Object> tools(ChatRequest request) {
        List<@Nullable Object> tools = new ArrayList<>();
        for (int i = 0; i < request.getToolsCount(); i++) {
            String param = "tools[" + i + "]";
            tools.add(JsonValues.guarded(JsonValues.object(request.getTools(i).getDefinitionJson(), param), guard));
        }
        return tools;
    }

    private Reasoning reasoning(String prompt) {
        if (prompt.stripTrailing().endsWith("<think>")) {
            return Reasoning.OPENED;
        }
        return template.source().contains("</think>") ? Reasoning.TAGGED : Reasoning.NONE;
    }

    private RenderedPrompt force(ChatRequest request, String prompt, OutputFormat format, boolean offersTools) {
        ToolChoice choice = request.getToolChoice();
        boolean forces = choice.getMode() == ToolChoice.Mode.REQUIRED || choice.getMode() == ToolChoice.Mode.NAMED;
        if (!forces) {
            return new RenderedPrompt(prompt, "", format);
        }
        if (!offersTools) {
            throw invalid("tool_choice", "tool_choice asks for a tool call, but there are no tools");
        }
        if (format.toolCalls() == ToolCallSyntax.PLAIN) {
            throw invalid("tool_choice", "the model's tool calls have no format that can be forced");
        }
        // A prompt that opened the reasoning must close it before a call can begin.
        String lead = format.reasoning() == Reasoning.OPENED ? "\n</think>\n\n" : "";
        List<Tool> tools = request.getToolsList();
        if (choice.getMode() == ToolChoice.Mode.NAMED) {
            if (tools.stream().noneMatch(tool -> tool.getName().equals(choice.getName()))) {
                throw invalid(
                        "tool_choice", "tool_choice names the tool '" + choice.getName() + "', which is not given");
            }
            return forced(prompt, lead, choice.getName(), format);
        }
        if (tools.size() == 1) {
            return forced(prompt, lead, tools.get(0).getName(), format);
        }
        String prefix = lead + callFormat.anyCall();
        return new RenderedPrompt(prompt + prefix, prefix, format);
    }

    private RenderedPrompt forced(String prompt, String lead, String name, OutputFormat format) {
        String prefix = lead + callFormat.callOf(name);
        String guarded = lead + callFormat.callOf(guard.apply(name));
        return new RenderedPrompt(prompt + guarded, prefix, format);
    }

    private static ServingException invalid(String param, String message) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message, param, null);
    }
}
