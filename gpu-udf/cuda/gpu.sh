#!/usr/bin/env bash
# Checks and measures the CUDA backend on a machine that has only NVIDIA's driver, nvcc and a Linux userland.
#
#   gpu.sh pack DIR    on a machine with a JDK and Maven: builds, and writes everything that is needed to DIR, in parts of at
#                      most 60 MB: a Java runtime, the jars, the test classes, the kernels' source, the demo model
#   gpu.sh run DIR     on the machine with the device, with DIR copied to it: unpacks, compiles the kernels, runs their
#                      own checks and benches, the tests tagged `gpu`, compute-sanitizer where it is installed, and
#                      `bench cuda`; writes logs and results to DIR/out. Takes at most eight minutes
#
# The exit code of `run` is 0 only if all of it ran and nothing failed.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
part_bytes=60000000
console=org.junit.platform:junit-platform-console-standalone:1.14.4
modules=java.se,jdk.unsupported,jdk.incubator.vector,jdk.management,jdk.net,jdk.zipfs,jdk.crypto.ec,jdk.httpserver

die() {
    printf 'gpu.sh: %s\n' "$*" >&2
    exit 1
}

pack() {
    local root target stage
    root=$(cd -P "$here/../.." && pwd)
    target=$1
    mkdir -p "$target"
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' RETURN
    "$root/millrace" build
    (cd "$root" && mvn -o -q -T1 -Dquick -pl gpu-udf/cuda,tests -am test-compile)
    jlink --compress=0 --strip-debug --no-header-files --no-man-pages --add-modules "$modules" --output "$stage/java"
    mkdir -p "$stage/lib" "$stage/test-lib" "$stage/classes" "$stage/cuda" "$stage/work"
    cp "$root"/flink-job/target/lib/*.jar "$stage/lib/"
    cp -r "$root/flink-job/target/classes/." "$stage/classes/"
    cp -r "$root/tests/target/classes/." "$stage/classes/"
    [ ! -d "$root/tests/target/test-classes/io/millrace/bench" ] || cp -r "$root/tests/target/test-classes/." "$stage/classes/"
    (cd "$root" &&
        mvn -q -B dependency:copy -Dartifact="$console" -DoutputDirectory="$stage/test-lib" &&
        mvn -o -q -B -T1 -pl gpu-udf/cuda -am dependency:build-classpath -DincludeScope=test \
            -Dmdep.outputFile="$stage/class-path")
    tr ':' '\n' <"$stage/class-path" | grep '\.jar$' | grep -v '/junit-' | while read -r jar; do
        [ -e "$stage/lib/$(basename "$jar")" ] || cp "$jar" "$stage/test-lib/"
    done
    for module in gpu-udf/cuda gpu-udf/engine gpu-udf/model gpu-udf/cpu; do
        mkdir -p "$stage/test-classes"
        [ ! -d "$root/$module/target/test-classes" ] || cp -r "$root/$module/target/test-classes/." "$stage/test-classes/"
    done
    cp -r "$root/gpu-udf/src/main/cuda" "$stage/src"
    cp "$here/kernels.sh" "$here/gpu.sh" "$stage/"
    cp "$("$root/millrace" model)" "$stage/model.gguf"
    rm -f "$target"/part-*
    tar -C "$stage" -cf - . | xz -T0 -1 | split -b "$part_bytes" -d - "$target/part-"
    cp "$here/gpu.sh" "$target/"
    printf 'gpu.sh: %s parts, %s MB in %s\n' "$(ls "$target"/part-* | wc -l)" "$(du -sm "$target" | cut -f1)" "$target"
}

# step NAME COMMAND...: runs it with its output in a log, and remembers whether it failed.
failed=()
step() {
    local name=$1 started=$SECONDS
    shift
    printf '=== %s\n' "$name"
    if "$@" >"$out/$name.log" 2>&1; then
        printf '    %s s\n' "$((SECONDS - started))"
    else
        failed+=("$name")
        printf '    FAILED after %s s:\n' "$((SECONDS - started))"
        tail -n 25 "$out/$name.log" | sed 's/^/    /'
    fi
}

run() {
    local from work nvcc
    from=$(cd -P "$1" && pwd)
    out=$from/out
    work=$from/unpacked
    mkdir -p "$out" "$work"
    command -v nvidia-smi >/dev/null || die "there is no nvidia-smi here: this needs a machine with a device"
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv | tee "$out/device.txt"
    [ -e "$work/model.gguf" ] || cat "$from"/part-* | xz -d -T0 | tar -C "$work" -xf -
    nvcc=$(command -v nvcc || printf '%s' "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc")
    [ -x "$nvcc" ] || die "there is no nvcc on the PATH, nor in CUDA_HOME"
    export PATH="$(dirname "$nvcc"):$PATH" MILLRACE_CUDA_SOURCE="$work/src"

    step kernels bash "$work/kernels.sh" "$work/classes/millrace/cuda"
    local name
    step compile-benches bash "$work/kernels.sh" --benches "$work/benches"
    for name in "$work"/benches/*; do
        [ -f "$name" ] && [ -x "$name" ] || continue
        step "bench-$(basename "$name")" timeout 60 "$name"
    done
    local java=("$work/java/bin/java" -Xmx24g -XX:MaxDirectMemorySize=32g --add-modules=jdk.incubator.vector)
    java+=(--add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED)
    java+=(--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.time=ALL-UNNAMED)
    java+=("-Dmillrace.root=$work/work" "-Dmillrace.gpu.required=true" "-Dmillrace.demo.model=$work/model.gguf")
    local path="$work/classes:$work/lib/*"
    local console_jar
    console_jar=$(echo "$work"/test-lib/junit-platform-console-standalone-*.jar)
    local tests=(-cp "$path:$work/test-classes:$work/test-lib/*" org.junit.platform.console.ConsoleLauncher execute
        --scan-class-path "$work/test-classes" --include-tag gpu --include-classname '.*' --disable-banner)
    [ -e "$console_jar" ] || die "the console of JUnit was not packed"
    step tests timeout 200 "${java[@]}" "${tests[@]}"
    if command -v compute-sanitizer >/dev/null; then
        for name in "$work"/benches/*; do
            [ -f "$name" ] && [ -x "$name" ] || continue
            step "sanitizer-$(basename "$name")" timeout 90 compute-sanitizer --error-exitcode 9 "$name" --check
        done
    else
        printf '=== compute-sanitizer is not installed here: not run\n'
    fi
    step bench-cuda timeout 240 "${java[@]}" -cp "$path" io.millrace.bench.BenchCommand cuda \
        --model "$work/model.gguf" --json "$out/cuda.json"
    cp -r "$work/work/bench-results/." "$out/" 2>/dev/null || true
    printf '=== %s s in all; failed: %s\n' "$SECONDS" "${failed[*]:-nothing}"
    [ ${#failed[@]} -eq 0 ]
}

case ${1:-} in
    pack) pack "${2:?pack DIR}" ;;
    run) run "${2:?run DIR}" ;;
    *) sed -n '2,12p' "$0" | sed 's/^# \{0,1\}//' ;;
esac
