package io.millrace.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rules of which part may use which, for the packages below a root. */
final class Edges {
    /** Each part of Millrace, and the parts that it may use besides itself. */
    private static final Map<String, List<String>> PARTS = parts();

    private final String root;

    Edges(String root) {
        this.root = root;
    }

    private static Map<String, List<String>> parts() {
        Map<String, List<String>> parts = new LinkedHashMap<>();
        parts.put("proto", List.of());
        parts.put("kv", List.of("proto"));
        parts.put("kv.flink", List.of("proto", "kv"));
        parts.put("kv.rocksdb", List.of("proto", "kv", "kv.flink"));
        parts.put("model", List.of("kv"));
        parts.put("text", List.of("proto", "kv", "model"));
        parts.put("grammar", List.of("kv"));
        parts.put("engine", List.of("proto", "kv", "model"));
        parts.put("backend.cpu", List.of("kv", "model", "engine"));
        parts.put("backend.sim", List.of("kv", "model", "engine"));
        parts.put("operators", List.of("proto", "kv", "kv.flink", "kv.rocksdb", "model", "text", "grammar", "engine"));
        parts.put("connector.port", List.of("proto", "kv"));
        parts.put("connector.local", List.of("proto", "kv", "kv.flink", "connector.port"));
        parts.put("connector.kafka.records", List.of("proto", "kv"));
        parts.put("connector.kafka.broker", List.of());
        parts.put("connector.kafka", List.of("proto", "kv", "kv.flink", "connector.kafka.records"));
        parts.put("connector.kafka.port", List.of("proto", "kv", "connector.port", "connector.kafka.records"));
        parts.put("gateway", List.of("proto", "kv", "grammar", "connector.port"));
        return parts;
    }

    /** The parts that rules speak of. */
    static List<String> partNames() {
        return List.copyOf(PARTS.keySet());
    }

    /** A part uses the parts that it may, and no others. */
    ArchRule partUsesOnlyWhatItMay(String part) {
        List<String> allowed = PARTS.get(part);
        DescribedPredicate<JavaClass> other = new DescribedPredicate<>("another part of Millrace than " + allowed) {
            @Override
            public boolean test(JavaClass type) {
                String owner = owner(type.getPackageName());
                return type.getPackageName().startsWith(root + ".") && !owner.equals(part) && !allowed.contains(owner);
            }
        };
        return noClasses().that(belongTo(part)).should().dependOnClassesThat(other);
    }

    /** The model, the engine and its backends know neither Flink nor Kafka; nor do the blocks and the gateway. */
    ArchRule noFlink(String part) {
        return noClasses()
                .that(belongTo(part))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.flink..", "org.apache.kafka..");
    }

    /** What processes without Flink use knows none of it. */
    ArchRule noFlinkBesideKafka(String part) {
        return noClasses().that(belongTo(part)).should().dependOnClassesThat().resideInAPackage("org.apache.flink..");
    }

    /** The Vector API stays inside the CPU backend's vector kernels, for a JVM may lack it. */
    ArchRule vectorApiStaysInItsKernels() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(root + ".backend.cpu.vector..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator.vector..");
    }

    /** JCuda stays inside the CUDA backend. */
    ArchRule jcudaStaysInItsBackend() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(root + ".backend.cuda..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda..");
    }

    /** RocksDB stays inside the tier of blocks that it holds. */
    ArchRule rocksDbStaysInItsTier() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(root + ".kv.rocksdb..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.rocksdb..");
    }

    /** What decides tokens reads no clock and no hidden randomness. */
    ArchRule coreIsDeterministic() {
        return noClasses()
                .that(belongTo("kv").or(belongTo("text")).or(belongTo("model")).or(belongTo("grammar")))
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(Math.class, "random")
                .orShould()
                .callConstructor(java.util.Random.class)
                .orShould()
                .dependOnClassesThat()
                .belongToAnyOf(java.util.concurrent.ThreadLocalRandom.class, java.security.SecureRandom.class);
    }

    private DescribedPredicate<JavaClass> belongTo(String part) {
        return new DescribedPredicate<>("belong to " + part) {
            @Override
            public boolean test(JavaClass type) {
                return owner(type.getPackageName()).equals(part);
            }
        };
    }

    /** The part that a package belongs to: the longest name that it begins with; its own name if that is none. */
    private String owner(String packageName) {
        String path = packageName.startsWith(root + ".") ? packageName.substring(root.length() + 1) : packageName;
        return PARTS.keySet().stream()
                .filter(part -> path.equals(part) || path.startsWith(part + "."))
                .max((a, b) -> Integer.compare(a.length(), b.length()))
                .orElse(path);
    }

    @Override
    public String toString() {
        return "edges below " + root + " of " + Arrays.toString(PARTS.keySet().toArray());
    }
}
