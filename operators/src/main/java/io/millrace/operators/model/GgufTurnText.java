package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.TurnText;
import io.millrace.proto.Turn;
import io.millrace.text.output.OutputDelta;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputParser;
import io.millrace.text.tokenizer.StopStrings;
import io.millrace.text.tokenizer.Tokenizer;

/** Reads a turn's output: tokens to text, text up to a stop string, and that to content, reasoning and tool calls. */
final class GgufTurnText implements TurnText {
    private final OutputText text;
    private final StopStrings.Matcher stops;
    private final OutputParser parser;
    private String stopString = "";

    GgufTurnText(Tokenizer tokenizer, Turn turn) {
        requireNonNull(turn, "turn");
        text = new OutputText(tokenizer, turn);
        stops = new StopStrings(turn.getSampling().getStopList()).newMatcher();
        parser = new OutputParser(
                OutputFormat.named(turn.getOutputFormat()),
                turn.getRequestId(),
                turn.getToolNamesList(),
                turn.getForcedPrefix(),
                turn.getOutputRules().getToolsCount() > 0);
    }

    @Override
    public Piece accept(int tokenId) {
        return read(text.accept(tokenId));
    }

    @Override
    public Piece finish() {
        Piece rest = read(text.flush());
        Piece held = stopString.isEmpty() ? piece(parser.accept(stops.flush())) : Piece.NOTHING;
        return rest.plus(held).plus(piece(parser.finish()));
    }

    @Override
    public String stopString() {
        return stopString;
    }

    private Piece read(String piece) {
        if (piece.isEmpty()) {
            return Piece.NOTHING;
        }
        StopStrings.Result result = stops.accept(piece);
        String matched = result.matched();
        if (matched != null) {
            stopString = matched;
        }
        return result.text().isEmpty() ? Piece.NOTHING : piece(parser.accept(result.text()));
    }

    private static Piece piece(OutputDelta delta) {
        return delta.isEmpty()
                ? Piece.NOTHING
                : new Piece(delta.content(), delta.reasoning(), delta.toolCalls(), delta.callDeltas());
    }
}
