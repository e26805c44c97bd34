package io.millrace.connector.kafka.broker;

import static java.util.Objects.requireNonNull;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How to start a Java program as a process of its own, with the JVM that runs this one.
 *
 * @param classPath jars, folders of classes, or {@code folder/*} for all jars of a folder
 * @param mainClass the program
 * @param jvmArguments what stands before the program's name, such as {@code -Xmx256m}
 * @param arguments what stands behind it
 * @param environment variables added to those of this process
 * @param folder its working folder, made if it is not there
 * @param logFile where its output goes, behind what is there
 */
public record JavaCommand(
        List<String> classPath,
        String mainClass,
        List<String> jvmArguments,
        List<String> arguments,
        Map<String, String> environment,
        Path folder,
        Path logFile) {
    public JavaCommand {
        classPath = List.copyOf(classPath);
        requireNonNull(mainClass, "mainClass");
        jvmArguments = List.copyOf(jvmArguments);
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
        requireNonNull(folder, "folder");
        requireNonNull(logFile, "logFile");
    }

    /** A program without arguments. */
    public static JavaCommand of(Collection<String> classPath, String mainClass, Path folder, Path logFile) {
        return new JavaCommand(List.copyOf(classPath), mainClass, List.of(), List.of(), Map.of(), folder, logFile);
    }

    /** The class path of this JVM. */
    public static List<String> ownClassPath() {
        // The other program may have another working folder.
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .toList();
    }

    /** The same with more arguments of the JVM. */
    public JavaCommand withJvmArguments(Collection<String> more) {
        return new JavaCommand(
                classPath, mainClass, joined(jvmArguments, more), arguments, environment, folder, logFile);
    }

    /** The same with more arguments of the program. */
    public JavaCommand withArguments(Collection<String> more) {
        return new JavaCommand(
                classPath, mainClass, jvmArguments, joined(arguments, more), environment, folder, logFile);
    }

    /** The same with more variables in its environment. */
    public JavaCommand withEnvironment(Map<String, String> more) {
        Map<String, String> joined = new HashMap<>(environment);
        joined.putAll(more);
        return new JavaCommand(classPath, mainClass, jvmArguments, arguments, joined, folder, logFile);
    }

    /** The words of the command line. */
    List<String> words() {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(jvmArguments);
        words.add("-cp");
        words.add(String.join(File.pathSeparator, classPath));
        words.add(mainClass);
        words.addAll(arguments);
        return words;
    }

    private static List<String> joined(List<String> first, Collection<String> second) {
        List<String> joined = new ArrayList<>(first);
        joined.addAll(second);
        return joined;
    }
}
