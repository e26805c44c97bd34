package io.millrace.tidy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Rules of all text files. Each returns what breaks it, with its place. */
final class TextRules {
    // Written apart, so that this file does not break its own rules.
    private static final Pattern OPEN_NOTE =
            Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b(?!\\([^)]+\\): \\S)");

    private static final Pattern REGISTRY_HOST = Pattern.compile(String.join(
            "|",
            "repo1?\\.mav" + "en\\.(apache\\.)?org",
            "maven\\.goo" + "gle\\.com",
            "repository\\.apa" + "che\\.org",
            "(files\\.)?pythonhos" + "ted\\.org",
            "py" + "pi\\.(org|io)",
            "registry\\.(np" + "mjs|yarn" + "pkg)\\.(org|com)",
            "np" + "mjs\\.(com|org)",
            "(static\\.)?crat" + "es\\.io",
            "proxy\\.gol" + "ang\\.org",
            "deb\\.deb" + "ian\\.org"));

    private static final Pattern ABSOLUTE_PATH = Pattern.compile(
            "(?<![\\w.}\\-/])/(home/[a-z]|Users/[A-Za-z]|root/|work/(main|wt|shared|\\.)|tmp/(dl|ref)/)");

    private TextRules() {}

    static List<String> notesHaveReasons(String path, String text) {
        return matches(OPEN_NOTE, path, text, "is a note without a reason: write NOTE(why): what");
    }

    static List<String> noRegistryHosts(String path, String text) {
        return matches(REGISTRY_HOST, path, text, "is a registry's host: builds take the registry that they are given");
    }

    static List<String> noMachinePaths(String path, String text) {
        return matches(ABSOLUTE_PATH, path, text, "is a path of one machine");
    }

    private static List<String> matches(Pattern pattern, String path, String text, String what) {
        List<String> found = new ArrayList<>();
        List<String> lines = text.lines().toList();
        for (int index = 0; index < lines.size(); index++) {
            Matcher matcher = pattern.matcher(lines.get(index));
            while (matcher.find()) {
                found.add(path + ":" + (index + 1) + " '" + matcher.group() + "' " + what);
            }
        }
        return found;
    }
}
