package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ServingException;
import java.io.PrintStream;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Tells people why a command failed. The exit code is 1. */
final class CommandErrors implements IExecutionExceptionHandler {
    private final PrintStream err;

    CommandErrors(PrintStream err) {
        this.err = requireNonNull(err, "err");
    }

    @Override
    public int handleExecutionException(Exception error, CommandLine command, ParseResult parsed) {
        if (error instanceof ServingException serving) {
            // What was wrong is all that the user can use; a stack trace would hide it.
            err.println("millrace: " + serving.getMessage());
        } else {
            err.println("millrace: " + command.getCommandName() + " failed");
            error.printStackTrace(err);
        }
        return 1;
    }
}
