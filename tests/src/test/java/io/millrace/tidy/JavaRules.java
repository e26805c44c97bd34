package io.millrace.tidy;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Rules of Java sources that the compiler's own parser checks. Each returns what breaks it, with its place. */
final class JavaRules {
    static final int MAX_LINE = 120;
    static final int MAX_METHOD_LINES = 70;
    static final int MAX_FILE_LINES = 600;

    private static final Pattern BANNED_NAME = Pattern.compile(".*(Manager|Helper|Utils?|Impl)");

    private JavaRules() {}

    static List<String> linesAreShort(String path, String text) {
        List<String> found = new ArrayList<>();
        List<String> lines = text.lines().toList();
        for (int index = 0; index < lines.size(); index++) {
            String line = lines.get(index);
            // An import cannot be broken.
            if (line.length() > MAX_LINE && !line.startsWith("import ")) {
                found.add(path + ":" + (index + 1) + " has " + line.length() + " characters, over " + MAX_LINE);
            }
        }
        return found;
    }

    static List<String> filesAreShort(String path, String text) {
        long lines = text.lines().count();
        return lines > MAX_FILE_LINES
                ? List.of(path + " has " + lines + " lines, over " + MAX_FILE_LINES + ": split it")
                : List.of();
    }

    /** Methods fit a screen, and no class has a name that says nothing. */
    static List<String> methodsAndNames(Map<String, String> sources) throws IOException {
        List<String> found = new ArrayList<>();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<SimpleJavaFileObject> files = sources.entrySet().stream()
                .map(entry -> (SimpleJavaFileObject) new TextSource(entry.getKey(), entry.getValue()))
                .toList();
        JavacTask task = (JavacTask) compiler.getTask(null, null, diagnostic -> {}, List.of(), null, files);
        SourcePositions positions = Trees.instance(task).getSourcePositions();
        for (CompilationUnitTree unit : task.parse()) {
            new RuleScanner(unit, positions, found).scan(unit, null);
        }
        return found;
    }

    private static final class RuleScanner extends TreeScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<String> found;

        private RuleScanner(CompilationUnitTree unit, SourcePositions positions, List<String> found) {
            this.unit = unit;
            this.positions = positions;
            this.found = found;
        }

        @Override
        public Void visitMethod(MethodTree method, Void nothing) {
            LineMap lines = unit.getLineMap();
            long begin = positions.getStartPosition(unit, method);
            long end = positions.getEndPosition(unit, method);
            if (begin >= 0 && end >= 0) {
                long count = lines.getLineNumber(end) - lines.getLineNumber(begin) + 1;
                if (count > MAX_METHOD_LINES) {
                    found.add(place(begin) + " method " + method.getName() + " has " + count + " lines, over "
                            + MAX_METHOD_LINES);
                }
            }
            super.visitMethod(method, nothing);
            return null;
        }

        @Override
        public Void visitClass(ClassTree type, Void nothing) {
            if (BANNED_NAME.matcher(type.getSimpleName()).matches()) {
                found.add(place(positions.getStartPosition(unit, type)) + " class " + type.getSimpleName()
                        + " has a name that says nothing: say what it is");
            }
            super.visitClass(type, nothing);
            return null;
        }

        private String place(long position) {
            String path = unit.getSourceFile().toUri().getPath().substring(1);
            return path + ":" + unit.getLineMap().getLineNumber(position);
        }
    }

    private static final class TextSource extends SimpleJavaFileObject {
        private final String text;

        private TextSource(String path, String text) {
            super(URI.create("tree:///" + path), JavaFileObject.Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
